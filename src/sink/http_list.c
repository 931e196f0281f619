/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies on a file server, by its folder listings (nginx's autoindex, Apache's mod_autoindex). Goes no deeper than
 * DEPTH_MAX folders: a server's symlinks may run in circles. Hidden and temporary names are left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "format/autoindex.h"
#include "sink/http_store.h"

enum { DEPTH_MAX = 8 };

struct listing {
    struct http_store *store;
    struct buf key; /* of the folder we are in, with a '/' behind it; "" at the prefix */
    int (*fn)(void *ctx, const struct sink_listing_entry *entry);
    void *ctx;
    struct err *e;
};

static int fail_no_listing(const struct http_request *r, const struct http_answer *a, const char *what, struct err *e)
{
    return err_set(e, -FAULT_REFUSED, "http: no listing at %s (%s %ld): turn autoindex on", r->url, what, a->status);
}

static int fetch_folder(struct listing *l, struct autoindex *ret)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = NULL;
    struct http_request request;
    struct http_store *s = l->store;
    int r = http_store_request(s, "GET", buf_text(&l->key), &request, &url, l->e);

    if (r < 0)
        return r;
    r = http_store_send(s->http, &request, NULL, &answer, l->e);
    if (r < 0)
        return r;
    if (answer.status == 403)
        return fail_no_listing(&request, &answer, "answer", l->e);
    if (!http_store_ok(&answer))
        return http_store_fail(s, &request, &answer, l->e);
    r = autoindex_decode(buf_text(&answer.body), answer.body.size, ret);
    if (r == -EBADMSG)
        return fail_no_listing(&request, &answer, "another page, status", l->e);
    return r < 0 ? err_set(l->e, r, "http: cannot read the listing at %s: %s", url, strerror(-r)) : 0;
}

static int list_folder(struct listing *l, unsigned depth);

/* l->key is the entry's by now. */
static int list_entry(struct listing *l, const struct autoindex_entry *entry, unsigned depth)
{
    if (!entry->folder) {
        struct sink_listing_entry found = {.key = buf_text(&l->key), .size = entry->size, .time_ns = entry->time_ns};
        return l->fn(l->ctx, &found);
    }
    if (depth >= DEPTH_MAX)
        return 0;
    if (buf_add_text(&l->key, "/") < 0)
        return err_set(l->e, -ENOMEM, "out of memory");
    int r = list_folder(l, depth + 1);
    return r == -FAULT_NO_OBJECT ? 0 : r; /* removed meanwhile */
}

static int list_folder(struct listing *l, unsigned depth)
{
    CLEANUP(autoindex_done) struct autoindex index = {0};
    size_t size = l->key.size;
    int r = fetch_folder(l, &index);

    for (size_t i = 0; r == 0 && i < index.count; i++) {
        const struct autoindex_entry *entry = &index.entry[i];

        if (entry->name[0] == '.' || (!entry->folder && http_put_is_temporary(entry->name)))
            continue;
        if (buf_add_text(&l->key, entry->name) < 0)
            return err_set(l->e, -ENOMEM, "out of memory");
        r = list_entry(l, entry, depth);
        l->key.size = size;
        l->key.data[size] = '\0';
    }
    return r;
}

int http_list(struct sink *s, const char *prefix, int (*fn)(void *ctx, const struct sink_listing_entry *entry),
              void *ctx, struct err *e)
{
    CLEANUP_FREE char *folder = strdup(prefix);
    struct listing l = {.store = (struct http_store *)s, .fn = fn, .ctx = ctx, .e = e};
    int r;

    if (!folder)
        return err_set(e, -ENOMEM, "out of memory");
    for (size_t size = strlen(folder); size > 0 && folder[size - 1] == '/'; size--)
        folder[size - 1] = '\0';
    if (*folder && buf_printf(&l.key, "%s/", folder) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r = list_folder(&l, 0);
    buf_done(&l.key);
    if (r == -FAULT_NO_OBJECT) /* nothing below a prefix, or no such store */
        return *folder ? 0 : err_set(e, -FAULT_NO_BUCKET, "http: the folder %s/ does not exist", l.store->base);
    return r;
}
