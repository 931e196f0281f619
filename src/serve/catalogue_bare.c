/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump at rest: one that is still being written, or whose manifest follows, is left for a later listing.
 */
#include "serve/catalogue_bare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/root.h"
#include "ship/case_facts.h"

enum { BARE_MAX = 10000 };

#define REST_NS (INT64_C(600) * 1000000000)

/* "app.hprof", "app.hprof.gz", "app.hprof.zst". */
static bool is_named_so(const char *key)
{
    return text_ends(key, ".hprof") || text_ends(key, ".hprof.gz") || text_ends(key, ".hprof.zst");
}

int bare_on_entry(struct refresh *r, const struct sink_listing_entry *entry)
{
    const struct catalogue *c = r->catalogue;
    struct new_manifest one = {.size = entry->size, .time_ns = entry->time_ns};

    if (!c->bare || !is_named_so(entry->key) || root_hides(entry->key) || entry->time_ns < c->found_since_ns ||
        entry->time_ns > clock_wall_ns() - REST_NS || r->bare_count == BARE_MAX)
        return 0;
    if (array_reserve(&r->bare, r->bare_count + 1, &r->bare_capacity, sizeof(*r->bare), BARE_MAX) < 0 ||
        !(one.key = strdup(entry->key)))
        return -ENOMEM;
    r->bare[r->bare_count++] = one;
    return 0;
}

static bool is_known(const struct refresh *r, const char *key)
{
    CLEANUP(buf_done) struct buf manifest = {0}, digest = {0};

    return buf_printf(&manifest, "%s" MANIFEST_SUFFIX, key) < 0 || case_answer_key(key, CASE_DIGEST, &digest) < 0 ||
           pass_has_listed(r, buf_text(&manifest)) || pass_has_listed(r, buf_text(&digest));
}

void bare_say(struct refresh *r)
{
    for (size_t i = 0; i < r->bare_count; i++)
        if (!is_known(r, r->bare[i].key))
            r->catalogue->bare(r->catalogue->found_ctx, r->bare[i].key);
    bare_done(r);
}

void bare_done(struct refresh *r)
{
    for (size_t i = 0; i < r->bare_count; i++)
        free(r->bare[i].key);
    free(r->bare);
    r->bare = NULL;
    r->bare_count = r->bare_capacity = 0;
}
