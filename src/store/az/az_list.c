/* SPDX-License-Identifier: Apache-2.0
 *
 * List Blobs, page by page.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/az/az_object.h"
#include "store/az/az_xml.h"

enum { PAGES_MAX = 10000 }; /* the service may answer with pages that are empty, and not the last */

static int ask(struct az *s, const struct az_list *what, const char *prefix, const char *marker, struct az_listing *ret,
               struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    struct az_call c = {.method = "GET", .action = AZ_LIST};
    int r;

    az_query(&c, "restype", "container");
    az_query(&c, "comp", "list");
    az_query(&c, "prefix", prefix);
    az_query(&c, "delimiter", what->folder ? "/" : NULL);
    az_query(&c, "marker", marker);
    if ((r = az_perform(s, az_http(s), &c, &a, e)) < 0)
        return r;
    r = az_xml_blobs(buf_text(&a.body), a.body.size, ret);
    if (r == -ENOMEM)
        return az_fail(e, r, "out of memory");
    return r < 0 ? az_fail(e, -FAULT_FORMAT, "the listing of container '%.63s' is not one: check --endpoint",
                           az_container(s))
                 : 0;
}

/* The name of a blob below the store's prefix is handed on without that. */
static int visit(const struct az *s, const struct az_list *what, const struct az_listing *l)
{
    size_t n = strlen(az_prefix(s));
    int r = 0;

    for (size_t i = 0; i < l->count && r >= 0; i++) {
        const struct az_entry *x = &l->entry[i];

        if (text_starts(x->name, az_prefix(s)) && text_starts(x->name + n, what->prefix) && x->name[n])
            r = what->fn(what->ctx, &(struct sink_listing_entry){x->name + n, x->size, x->time_ns});
    }
    return r;
}

int az_list(struct az *s, const struct az_list *what, struct err *e)
{
    CLEANUP_FREE char *prefix = NULL, *marker = NULL;
    uint64_t entries = 0;
    int r;

    if (asprintf(&prefix, "%s%s", az_prefix(s), what->prefix) < 0) {
        prefix = NULL;
        return az_fail(e, -ENOMEM, "out of memory");
    }
    for (unsigned page = 0; page < PAGES_MAX; page++) {
        CLEANUP(az_listing_done) struct az_listing l = {0};

        if ((r = ask(s, what, prefix, marker, &l, e)) < 0 || (r = visit(s, what, &l)) < 0)
            return r;
        entries += l.count;
        if (entries > SINK_LISTED_MAX)
            return az_fail(e, -FAULT_REFUSED,
                           "container '%.63s' has more than %d objects there: name a place, or a longer prefix",
                           az_container(s), SINK_LISTED_MAX);
        if (!l.next)
            return 0;
        if (text_eq(l.next, marker))
            break;
        free(marker);
        marker = TAKE_PTR(l.next);
    }
    return az_fail(e, -FAULT_FORMAT, "the listing of container '%.63s' does not come to an end", az_container(s));
}
