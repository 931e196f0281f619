/* SPDX-License-Identifier: Apache-2.0
 *
 * ListObjectsV2 (ListObjects, where the dialect says so) and ListMultipartUploads. Keys are requested in URL encoding,
 * as some can't be written in XML; a store without that option sends plain keys, and no EncodingType.
 */
#include "store/s3/s3_browse.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/s3/s3_multipart.h"
#include "store/s3/s3_xml.h"

enum { SPARSE_PAGES = 200, SPARSE_ENTRIES = 50 }; /* pages, and entries on each of so many */

/* What can be listed, and how a page is asked for. */
struct listing_kind {
    const char *action;
    const char *name, *value;          /* of the query; NULL: none */
    const char *next, *next_upload_id; /* names of the query for a further page; NULL: none */
    const char *after;                 /* the same for a first page that begins behind a key */
    bool by_token;                     /* what begins a further page is no key, and so not encoded */
    int (*parse)(const char *xml, size_t size, struct s3_listing *ret);
};

static const struct listing_kind OBJECTS = {.action = "ListBucket",
                                            .name = "list-type",
                                            .value = "2",
                                            .next = "continuation-token",
                                            .after = "start-after",
                                            .by_token = true,
                                            .parse = s3xml_objects};
static const struct listing_kind OBJECTS_BY_KEY = {
    .action = "ListBucket", .next = "marker", .after = "marker", .parse = s3xml_objects};
static const struct listing_kind UPLOADS = {.action = "ListBucketMultipartUploads",
                                            .name = "uploads",
                                            .value = "",
                                            .next = "key-marker",
                                            .next_upload_id = "upload-id-marker",
                                            .parse = s3xml_uploads};

/* One page after the other. */
struct pages {
    struct s3 *s;
    const struct listing_kind *kind;
    const char *prefix; /* whole: the store's and the caller's */
    const char *after;  /* whole; NULL: from the beginning */
    bool one_folder;    /* what is in its folders is not listed */
    /* Called for each entry, with its key relative to the store's prefix: 0, or negative to break off. */
    int (*visit)(void *ctx, const char *key, const struct s3_entry *entry, struct err *e);
    void *ctx;
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

/* Stores fill their pages: a listing of many pages with few entries would not end. */
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

/* Keeps where the next page begins. A store that repeats it would make us loop for ever. */
static int set_next_page(struct pages *p, struct err *e)
{
    CLEANUP_FREE char *next = NULL, *upload_id = NULL;

    if (p->listing.truncated) {
        next = p->kind->by_token ? strdup(p->listing.next) : plain_key(p, p->listing.next);
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

static int ask(struct pages *p, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    const struct listing_kind *k = p->kind;
    struct s3_call c = {.method = "GET", .action = k->action};
    int r;

    s3_listing_done(&p->listing);
    if (k->name)
        s3_query(&c, k->name, k->value);
    if (p->next)
        s3_query(&c, k->next, p->next);
    else if (p->after)
        s3_query(&c, k->after, p->after);
    if (p->next && k->next_upload_id)
        s3_query(&c, k->next_upload_id, p->next_upload_id);
    s3_query(&c, "prefix", p->prefix);
    if (p->one_folder)
        s3_query(&c, "delimiter", "/");
    s3_query(&c, "encoding-type", "url");
    if ((r = s3_perform(p->s, s3_http(p->s), &c, &a, e)) < 0)
        return r;
    r = k->parse(buf_text(&a.body), a.body.size, &p->listing);
    if (r < 0)
        return r == -ENOMEM ? no_memory(p->s, e)
                            : s3_fail(p->s, e, -FAULT_FORMAT,
                                      "the listing of bucket '%.63s' is not one: check --endpoint", s3_bucket(p->s));
    if ((r = check_length(p, e)) < 0)
        return r;
    p->encoded = strstr(buf_text(&a.body), "<EncodingType>url<") != NULL;
    return set_next_page(p, e);
}

/* The key relative to the store's prefix, malloc'ed; NULL with *ret_r 0 if it isn't below the prefix. */
static char *relative_key(const struct pages *p, const char *key, int *ret_r)
{
    CLEANUP_FREE char *plain = plain_key(p, key);
    size_t n = strlen(s3_prefix(p->s));

    *ret_r = plain ? 0 : -ENOMEM;
    return plain && text_starts(plain, p->prefix) && plain[n] ? strdup(plain + n) : NULL;
}

static int visit_page(const struct pages *p, struct err *e)
{
    for (size_t i = 0; i < p->listing.count; i++) {
        const struct s3_entry *x = &p->listing.entry[i];
        int r;
        CLEANUP_FREE char *key = relative_key(p, x->key, &r);

        if (r < 0)
            return no_memory(p->s, e);
        if (key && (r = p->visit(p->ctx, key, x, e)) < 0)
            return r;
    }
    return 0;
}

static int browse(struct pages *p, struct err *e)
{
    int r;

    do
        if ((r = ask(p, e)) < 0 || (r = visit_page(p, e)) < 0)
            return r;
    while (p->next);
    return 0;
}

struct list {
    int (*fn)(void *ctx, const struct sink_listing_entry *entry);
    void *ctx;
};

static int visit_object(void *ctx, const char *key, const struct s3_entry *x, struct err *e)
{
    const struct list *l = ctx;

    (void)e;
    return l->fn(l->ctx, &(struct sink_listing_entry){.key = key, .size = x->size, .time_ns = x->time_ns});
}

static int list(struct s3 *s, const struct sink_list_from *from, bool one_folder, struct list *to, struct err *e)
{
    CLEANUP_FREE char *whole = NULL, *after = NULL;
    CLEANUP(pages_done)
    struct pages p = {.s = s,
                      .kind = s3_dialect(s)->list_by_key ? &OBJECTS_BY_KEY : &OBJECTS,
                      .one_folder = one_folder,
                      .visit = visit_object,
                      .ctx = to};

    if (asprintf(&whole, "%s%s", s3_prefix(s), from->prefix) < 0) {
        whole = NULL;
        return no_memory(s, e);
    }
    if (from->after && asprintf(&after, "%s%s", s3_prefix(s), from->after) < 0) {
        after = NULL;
        return no_memory(s, e);
    }
    p.prefix = whole;
    p.after = after;
    return browse(&p, e);
}

int s3_list(struct s3 *s, const char *prefix, int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx,
            struct err *e)
{
    assert(prefix && fn);
    return list(s, &(struct sink_list_from){prefix, NULL}, false, &(struct list){fn, ctx}, e);
}

int s3_list_after(struct s3 *s, const struct sink_list_from *from,
                  int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e)
{
    assert(from && from->prefix && fn);
    return list(s, from, false, &(struct list){fn, ctx}, e);
}

int s3_list_folder(struct s3 *s, const char *folder, int (*fn)(void *ctx, const struct sink_listing_entry *entry),
                   void *ctx, struct err *e)
{
    return list(s, &(struct sink_list_from){folder, NULL}, true, &(struct list){fn, ctx}, e);
}

struct sweep {
    struct s3 *s;
    const struct upload_sweep *which;
    unsigned count; /* aborted so far */
};

static int visit_upload(void *ctx, const char *key, const struct s3_entry *x, struct err *e)
{
    struct sweep *w = ctx;
    int r;

    if (x->time_ns >= w->which->before_ns || !w->which->mine(w->which->ctx, key))
        return 0;
    r = s3_abort(w->s, key, x->upload_id, NULL, e);
    w->count += r == 0;
    return r;
}

int s3_sweep(struct s3 *s, const struct upload_sweep *sweep, unsigned *ret_count, struct err *e)
{
    struct sweep w = {.s = s, .which = sweep};
    CLEANUP(pages_done)
    struct pages p = {.s = s, .kind = &UPLOADS, .prefix = s3_prefix(s), .visit = visit_upload, .ctx = &w};
    int r;

    assert(sweep->mine);
    r = browse(&p, e);
    if (r == 0 && ret_count)
        *ret_count = w.count;
    return r;
}
