/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks at the roots of the trees alone, where state folders are (node/components.c).
 */
#include "node/left_behind.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/spool.h"

enum { REPORTS_MAX = 64 };

/* Whether a component has this state folder. */
static bool is_in_use(const struct component_list *l, const char *path)
{
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->item[i].args.count; k++) {
            const char *arg = l->item[i].args.item[k];

            if (text_starts(arg, "--state=") && text_eq(arg + strlen("--state="), path))
                return true;
        }
    return false;
}

static unsigned count_claims(int tree, const char *name)
{
    CLEANUP_FD int state = openat(tree, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP_DIR DIR *spool = state >= 0 ? file_opendir(state, "spool") : NULL;
    unsigned count = 0;

    for (struct dirent *d; spool && (d = readdir(spool));)
        count += d->d_name[0] != '.';
    return count;
}

static void look_into(const struct component_list *l, const char *tree)
{
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, tree);
    unsigned reports = 0;

    for (struct dirent *d; dir && reports < REPORTS_MAX && (d = readdir(dir));) {
        CLEANUP_FREE char *path = NULL;
        unsigned claims;

        if (!text_starts(d->d_name, STATE_NAME) || asprintf(&path, "%s/%s", tree, d->d_name) < 0 ||
            is_in_use(l, path) || (claims = count_claims(dirfd(dir), d->d_name)) == 0)
            continue;
        log_event(EVENT_NODE_LEFT_BEHIND, LOG_STR("dir", path), LOG_UINT("claims", claims));
        reports++;
    }
}

void left_behind_report(const struct component_list *l)
{
    assert(l);
    for (size_t i = 0; i < l->trees.count; i++)
        look_into(l, l->trees.item[i]);
}
