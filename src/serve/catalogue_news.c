/* SPDX-License-Identifier: Apache-2.0
 *
 * What is new in a large bucket, by few requests. Keys are NAMESPACE/POD/TIME-CAUSE-ID/…: of each namespace the pods
 * are listed (by delimiter), then pods that are not known whole, and of pods that had a case lately, and of those that
 * had one latest before, what lies behind its time. Pods that are gone leave the index. What this does not see, a case
 * of a pod that had none for long and a case that left a pod with others, the next listing of the whole store does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/catalogue_pass.h"
#include "ship/case_facts.h"
#include "ship/case_list.h"

enum { PAGE = 1000, FOLDERS_MAX = 1000 * 1000, LATE_MAX = 32 };
static const int64_t DAY_NS = INT64_C(86400) * 1000000000;

/* "shop/cart-0/", as the index knows it. */
struct known {
    uint64_t hash;
    int64_t newest_ns;
    bool plain;   /* holds folders of cases and nothing else, so that names are in the order of time */
    bool there;   /* seen in this pass */
    size_t range; /* number of what is listed of it, from 1; 0: nothing */
};

struct range {
    char *prefix, *after; /* after: NULL: all */
};

/* A pod without a case for days. */
struct late {
    struct known *known;
    char *prefix;
};

struct news {
    struct refresh *refresh;
    struct known *known; /* sorted */
    size_t known_count, known_capacity;
    struct strv namespaces;
    struct range *range;
    size_t range_count, range_capacity;
    struct late late[LATE_MAX]; /* those that had one last */
    size_t late_count;
};

static void news_done(struct news *n)
{
    for (size_t i = 0; i < n->range_count; i++) {
        free(n->range[i].prefix);
        free(n->range[i].after);
    }
    for (size_t i = 0; i < n->late_count; i++)
        free(n->late[i].prefix);
    free(n->range);
    free(n->known);
    strv_done(&n->namespaces);
}

static int compare_known(const void *a, const void *b)
{
    const struct known *x = a, *y = b;

    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* Bytes of "shop/cart-0/" in a key; 0: it lies higher. */
static size_t folder_size(const char *key)
{
    const char *slash = strchr(key, '/');

    slash = slash ? strchr(slash + 1, '/') : NULL;
    return slash ? (size_t)(slash - key) + 1 : 0;
}

/* One row of the index's cases. */
static int add_known(struct news *n, const char *id, int64_t time_ns)
{
    size_t size = folder_size(id);
    const char *cause;
    size_t cause_size;
    int64_t named_ns;
    int r;

    if (size == 0)
        return 0;
    if ((r = array_reserve(&n->known, n->known_count + 1, &n->known_capacity, sizeof(*n->known), FOLDERS_MAX)) < 0)
        return r;
    n->known[n->known_count++] = (struct known){.hash = XXH3_64bits(id, size),
                                                .newest_ns = time_ns,
                                                .plain = case_folder_parse(id + size, &named_ns, &cause, &cause_size)};
    return 0;
}

/* Several rows of a folder become one. */
static void merge_known(struct news *n)
{
    size_t kept = 0;

    if (n->known_count == 0)
        return;
    qsort(n->known, n->known_count, sizeof(*n->known), compare_known);
    for (size_t i = 1; i < n->known_count; i++) {
        struct known *last = &n->known[kept], *one = &n->known[i];

        if (one->hash != last->hash) {
            n->known[++kept] = *one;
            continue;
        }
        last->plain = last->plain && one->plain;
        if (one->newest_ns > last->newest_ns)
            last->newest_ns = one->newest_ns;
    }
    n->known_count = kept + 1;
}

static int read_known(struct news *n, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    struct index *x = n->refresh->catalogue->index;
    int r = sql_prepare(index_read_begin(x), "SELECT path, time_ns FROM cases", &s, e);

    while (r == 0 && (r = sql_step(s, e)) == 1)
        r = add_known(n, sql_column_text(s, 0), sqlite3_column_int64(s, 1));
    sql_finish(&s);
    s = NULL;
    index_read_end(x);
    merge_known(n);
    return r == -ENOMEM || r == -E2BIG ? err_set(e, -ENOMEM, "out of memory") : r;
}

static int add_range(struct news *n, const char *prefix, const char *after)
{
    struct range one = {.prefix = strdup(prefix), .after = after ? strdup(after) : NULL};
    int r = array_reserve(&n->range, n->range_count + 1, &n->range_capacity, sizeof(*n->range), FOLDERS_MAX);

    if (r < 0 || !one.prefix || (after && !one.after)) {
        free(one.prefix);
        free(one.after);
        return -ENOMEM;
    }
    n->range[n->range_count++] = one;
    return 0;
}

static int add_known_range(struct news *n, struct known *k, const char *prefix)
{
    CLEANUP(buf_done) struct buf after = {0};
    char stamp[CLOCK_TEXT_MAX];

    k->range = n->range_count + 1;
    if (!k->plain)
        return add_range(n, prefix, NULL);
    /* What comes later can be older: a large dump takes its time. */
    return buf_printf(&after, "%s%s", prefix, clock_format_basic(k->newest_ns - DAY_NS, stamp)) < 0
               ? -ENOMEM
               : add_range(n, prefix, buf_text(&after));
}

static int note_late(struct news *n, struct known *k, const char *prefix)
{
    struct late *oldest = &n->late[0];
    char *copy;

    for (size_t i = 1; i < n->late_count; i++)
        if (n->late[i].known->newest_ns < oldest->known->newest_ns)
            oldest = &n->late[i];
    if (n->late_count == LATE_MAX && k->newest_ns <= oldest->known->newest_ns)
        return 0;
    if (!(copy = strdup(prefix)))
        return -ENOMEM;
    if (n->late_count < LATE_MAX)
        oldest = &n->late[n->late_count++];
    else
        free(oldest->prefix);
    *oldest = (struct late){k, copy};
    return 0;
}

static int compare_late(const void *a, const void *b)
{
    const struct late *x = a, *y = b;

    return x->known->newest_ns > y->known->newest_ns ? -1 : x->known->newest_ns < y->known->newest_ns;
}

/* A listing each, and all of them fewer than the whole store needs. */
static int add_late_ranges(struct news *n, size_t whole)
{
    int r = 0;

    if (n->late_count > 0)
        qsort(n->late, n->late_count, sizeof(*n->late), compare_late);
    for (size_t i = 0; r == 0 && i < n->late_count && n->range_count + 1 < whole; i++)
        r = add_known_range(n, n->late[i].known, n->late[i].prefix);
    return r;
}

/* "shop/cart-0/". */
static int on_folder(struct news *n, const char *prefix)
{
    struct known wanted = {.hash = XXH3_64bits(prefix, strlen(prefix))};
    struct known *k =
        n->known_count == 0 ? NULL : bsearch(&wanted, n->known, n->known_count, sizeof(*n->known), compare_known);

    if (!k)
        return add_range(n, prefix, NULL);
    if (k->there) /* a store may repeat a folder */
        return 0;
    k->there = true;
    return k->newest_ns < clock_wall_ns() - 2 * DAY_NS ? note_late(n, k, prefix) : add_known_range(n, k, prefix);
}

static int on_namespace(void *ctx, const struct sink_listing_entry *entry)
{
    struct news *n = ctx;

    if (!text_ends(entry->key, "/"))
        return pass_on_entry(n->refresh, entry);
    return strv_has(&n->namespaces, entry->key) ? 0 : strv_add(&n->namespaces, entry->key);
}

static int on_pod(void *ctx, const struct sink_listing_entry *entry)
{
    struct news *n = ctx;

    if (!text_ends(entry->key, "/"))
        return pass_on_entry(n->refresh, entry);
    return folder_size(entry->key) == 0 ? 0 : on_folder(n, entry->key); /* 0: an object that stands for the namespace */
}

static int list_folders(struct news *n, struct err *e)
{
    struct sink *sink = n->refresh->catalogue->sink;
    int r = sink->ops->list_folder(sink, "", on_namespace, n, e);

    for (size_t i = 0; r == 0 && i < n->namespaces.count; i++)
        r = sink->ops->list_folder(sink, n->namespaces.item[i], on_pod, n, e);
    return r;
}

static int list_ranges(struct news *n, struct err *e)
{
    struct sink *sink = n->refresh->catalogue->sink;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n->range_count; i++)
        r = sink->ops->list_after(sink, &(struct sink_list_from){n->range[i].prefix, n->range[i].after}, pass_on_entry,
                                  n->refresh, e);
    return r;
}

/* Objects of the index in what was listed, and in folders that are gone. */
static bool is_gone(const struct news *n, const char *key, const char *manifest)
{
    size_t size = folder_size(key);
    struct known wanted = {.hash = XXH3_64bits(key, size)};
    const struct known *k = size == 0 || n->known_count == 0
                                ? NULL
                                : bsearch(&wanted, n->known, n->known_count, sizeof(*n->known), compare_known);

    if (pass_has_listed(n->refresh, key) && pass_has_listed(n->refresh, manifest))
        return false;
    if (!k || !k->there)
        return k != NULL;
    return k->range > 0 && (!n->range[k->range - 1].after || strcmp(key, n->range[k->range - 1].after) > 0);
}

static int find_gone(const struct news *n, struct strv *ret, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    struct index *x = n->refresh->catalogue->index;
    int r = sql_prepare(index_read_begin(x), "SELECT key FROM objects", &s, e);

    while (r == 0 && (r = sql_step(s, e)) == 1) {
        CLEANUP(buf_done) struct buf manifest = {0};
        const char *key = sql_column_text(s, 0);

        r = buf_printf(&manifest, "%s" MANIFEST_SUFFIX, key);
        if (r == 0 && is_gone(n, key, buf_text(&manifest)))
            r = strv_add(ret, key);
    }
    sql_finish(&s);
    s = NULL;
    index_read_end(x);
    return r == -ENOMEM ? err_set(e, r, "out of memory") : r;
}

static int take_news(struct news *n, struct err *e)
{
    CLEANUP(strv_done) struct strv gone = {0};
    static const struct strv no_pins;
    int r;

    pass_end_listing(n->refresh);
    if ((r = find_gone(n, &gone, e)) < 0 || (r = pass_drop(n->refresh, &gone, &no_pins, e)) < 0)
        return r;
    return pass_read_new(n->refresh, e);
}

int catalogue_list_news(struct refresh *refresh, struct err *e)
{
    CLEANUP(news_done) struct news n = {.refresh = refresh};
    uint64_t whole = refresh->catalogue->whole_objects / PAGE + 1;
    int r;

    if ((r = read_known(&n, e)) < 0)
        return r;
    if (n.known_count / PAGE + 2 >= whole) /* the folders alone are as many pages */
        return 0;
    if ((r = list_folders(&n, e)) < 0)
        return r == -ENOMEM ? err_set(e, r, "out of memory") : r;
    if (n.range_count >= whole)
        return 0;
    if ((r = add_late_ranges(&n, (size_t)whole)) < 0 || (r = list_ranges(&n, e)) < 0 || (r = take_news(&n, e)) < 0)
        return r == -ENOMEM ? err_set(e, r, "out of memory") : r;
    return 1;
}
