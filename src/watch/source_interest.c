/* SPDX-License-Identifier: Apache-2.0
 *
 * Which names of a folder may be evidence: by --file, --include, --exclude, and by the usual names of evidence.
 */
#include <fnmatch.h>
#include <string.h>

#include "base/text.h"
#include "ship/kind.h"
#include "watch/pod_folder.h"
#include "watch/source_internal.h"

enum { GLOB_MAX = 256 };

/* Whether name matches one of the globs; an item may hold several, as in the environment. */
static bool any_glob(const struct opt_list *list, const char *name)
{
    for (unsigned i = 0; i < list->count; i++)
        for (const char *p = list->item[i]; *p;) {
            size_t n = strcspn(p, " \t\n");
            char glob[GLOB_MAX];

            if (n > 0 && n < sizeof(glob)) {
                memcpy(glob, p, n);
                glob[n] = '\0';
                if (fnmatch(glob, name, FNM_PERIOD) == 0)
                    return true;
            }
            p += n + strspn(p + n, " \t\n");
        }
    return false;
}

static bool is_named(const struct source *s, const struct folder *f, const char *name)
{
    for (unsigned i = 0; i < s->config.files.count; i++)
        if (s->named[i] == f && fnmatch(text_base_name(s->config.files.item[i]), name, FNM_PERIOD) == 0)
            return true;
    return false;
}

enum interest source_interest(const struct source *s, const struct folder *f, const char *name)
{
    if (kind_is_segment(name))
        return INTEREST_NONE;
    if (is_named(s, f, name))
        return INTEREST_BY_USER;
    if (f->root->in_pod && f->root->in_pod->below)
        return INTEREST_NONE; /* the folder that is wanted is not there yet */
    if (!source_selects_files(s, f))
        return INTEREST_NONE;
    if (f->named_only || any_glob(&s->config.exclude, name))
        return INTEREST_NONE;
    if (s->config.include.count > 0)
        return any_glob(&s->config.include, name) ? INTEREST_BY_USER : INTEREST_NONE;
    /* A hidden file is unfinished, or belongs to a tool. */
    if (*name == '.')
        return INTEREST_NONE;
    if (kind_is_proposed(name))
        return INTEREST_BY_NAME;
    return strstr(f->path + strlen(f->root->path), "/.") ? INTEREST_NONE : INTEREST_BY_CONTENT;
}

bool source_wants(const struct source *s, const struct folder *f, const char *name)
{
    return source_interest(s, f, name) >= INTEREST_BY_CONTENT;
}
