/* SPDX-License-Identifier: Apache-2.0
 *
 * ListObjectsV2 (ListObjects, where the dialect says so) and ListMultipartUploads. Keys are asked for in URL encoding,
 * as some can't stand in XML; a store that does not know that sends them as they are, and doesn't say EncodingType.
 */
#include "store/s3/s3_browse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/s3/s3_upload.h"
#include "store/s3/s3_xml.h"

enum { SPARSE_PAGES = 200, SPARSE_ENTRIES = 50 }; /* pages, and entries on each of so many */

/* Of one page after the other. */
struct pages {
    struct s3 *s;
    const char *prefix; /* whole: the store's and the caller's */
    struct s3_listing listing;
    bool encoded;
    char *next, *next_upload_id; /* of the next page */
    uint64_t pages, entries;     /* so far */
};

static void pages_done(struct pages *p)
{
    s3_listing_done(&p->listing);
    free(p->next);
    free(p->next_upload_id);
}

char *s3_key_decode(const char *text)
{
    CLEANUP_FREE char *spaced = strdup(text);

    if (!spaced)
        return NULL;
    for (char *c = spaced; (c = strchr(c, '+'));)
        *c = ' ';
    return url_decode(spaced, strlen(spaced));
}

static char *plain_key(const struct pages *p, const char *key)
{
    return p->encoded ? s3_key_decode(key) : strdup(key);
}

static int no_memory(const struct s3 *s, struct err *e)
{
    return s3_fail(s, e, -ENOMEM, "out of memory");
}

/* Stores fill their pages; one that goes on and on with hardly anything on them would keep us for ever. */
static int check_length(struct pages *p, struct err *e)
{
    p->pages++;
    p->entries += p->listing.count;
    if (p->entries > SINK_LISTED_MAX)
        return s3_fail(p->s, e, -FAULT_REFUSED,
                       "bucket '%.63s' has more than %d objects there: name a place, or a longer prefix",
                       s3_bucket(p->s), SINK_LISTED_MAX);
    if (p->pages > SPARSE_PAGES && p->entries < p->pages * SPARSE_ENTRIES)
        return s3_fail(p->s, e, -FAULT_FORMAT, "the listing of bucket '%.63s' does not come to an end",
                       s3_bucket(p->s));
    return 0;
}

/* Keeps where the next page begins. A store that says the same twice would have us go round for ever. */
static int turn(struct pages *p, bool by_token, struct err *e)
{
    CLEANUP_FREE char *next = NULL, *upload_id = NULL;

    if (p->listing.truncated) {
        next = by_token ? strdup(p->listing.next) : plain_key(p, p->listing.next); /* tokens are not encoded */
        upload_id = strdup(p->listing.next_upload_id ? p->listing.next_upload_id : "");
        if (!next || !upload_id)
            return no_memory(p->s, e);
        if (text_eq(next, p->next) && text_eq(upload_id, p->next_upload_id))
            return s3_fail(p->s, e, -FAULT_FORMAT, "the listing of bucket '%.63s' does not come to an end",
                           s3_bucket(p->s));
    }
    free(p->next);
    free(p->next_upload_id);
    p->next = TAKE_PTR(next);
    p->next_upload_id = TAKE_PTR(upload_id);
    return 0;
}

static int ask(struct pages *p, struct s3_call *c, int (*parse)(const char *, size_t, struct s3_listing *),
               struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    bool by_token = parse == s3xml_objects && !s3_dialect(p->s)->list_by_key;
    int r;

    s3_listing_done(&p->listing);
    s3_query(c, "prefix", p->prefix);
    s3_query(c, "encoding-type", "url");
    if ((r = s3_perform(p->s, s3_http(p->s), c, NULL, &a, e)) < 0)
        return r;
    r = parse(buf_text(&a.body), a.body.size, &p->listing);
    if (r < 0)
        return r == -ENOMEM ? no_memory(p->s, e)
                            : s3_fail(p->s, e, -FAULT_FORMAT,
                                      "the listing of bucket '%.63s' is not one: check --endpoint", s3_bucket(p->s));
    if ((r = check_length(p, e)) < 0)
        return r;
    p->encoded = strstr(buf_text(&a.body), "<EncodingType>url<") != NULL;
    return turn(p, by_token, e);
}

/* The key relative to the store's prefix, malloc'ed; NULL with *ret_r 0 if it isn't below the prefix. */
static char *relative_key(const struct pages *p, const char *key, int *ret_r)
{
    CLEANUP_FREE char *plain = plain_key(p, key);
    size_t n = strlen(s3_prefix(p->s));

    *ret_r = plain ? 0 : -ENOMEM;
    return plain && text_starts(plain, p->prefix) && plain[n] ? strdup(plain + n) : NULL;
}

static int hand_on(const struct pages *p, int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx,
                   struct err *e)
{
    for (size_t i = 0; i < p->listing.count; i++) {
        const struct s3_entry *x = &p->listing.entry[i];
        int r;
        CLEANUP_FREE char *key = relative_key(p, x->key, &r);

        if (r < 0)
            return no_memory(p->s, e);
        if (key && (r = fn(ctx, &(struct sink_listing_entry){.key = key, .size = x->size, .time_ns = x->time_ns})) < 0)
            return r;
    }
    return 0;
}

int s3_list(struct s3 *s, const char *prefix, int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx,
            struct err *e)
{
    CLEANUP_FREE char *whole = NULL;
    CLEANUP(pages_done) struct pages p = {.s = s};
    bool by_key = s3_dialect(s)->list_by_key;
    int r;

    if (asprintf(&whole, "%s%s", s3_prefix(s), prefix) < 0) {
        whole = NULL;
        return no_memory(s, e);
    }
    p.prefix = whole;
    do {
        struct s3_call c = {.method = "GET", .action = "ListBucket"};

        if (!by_key)
            s3_query(&c, "list-type", "2");
        if (p.next)
            s3_query(&c, by_key ? "marker" : "continuation-token", p.next);
        if ((r = ask(&p, &c, s3xml_objects, e)) < 0 || (r = hand_on(&p, fn, ctx, e)) < 0)
            return r;
    } while (p.next);
    return 0;
}

static int abort_old(const struct pages *p, int64_t before_ns, bool (*mine)(void *ctx, const char *key), void *ctx,
                     unsigned *count, struct err *e)
{
    for (size_t i = 0; i < p->listing.count; i++) {
        const struct s3_entry *x = &p->listing.entry[i];
        int r;
        CLEANUP_FREE char *key = relative_key(p, x->key, &r);

        if (r < 0)
            return no_memory(p->s, e);
        if (!key || x->time_ns >= before_ns || !mine(ctx, key))
            continue;
        if ((r = s3_abort(p->s, key, x->upload_id, NULL, e)) < 0)
            return r;
        (*count)++;
    }
    return 0;
}

int s3_sweep(struct s3 *s, int64_t before_ns, bool (*mine)(void *ctx, const char *key), void *ctx, unsigned *ret_count,
             struct err *e)
{
    CLEANUP(pages_done) struct pages p = {.s = s, .prefix = s3_prefix(s)};
    unsigned count = 0;
    int r;

    do {
        struct s3_call c = {.method = "GET", .action = "ListBucketMultipartUploads"};

        s3_query(&c, "uploads", "");
        if (p.next) {
            s3_query(&c, "key-marker", p.next);
            s3_query(&c, "upload-id-marker", p.next_upload_id);
        }
        if ((r = ask(&p, &c, s3xml_uploads, e)) < 0 || (r = abort_old(&p, before_ns, mine, ctx, &count, e)) < 0)
            return r;
    } while (p.next);
    if (ret_count)
        *ret_count = count;
    return 0;
}
