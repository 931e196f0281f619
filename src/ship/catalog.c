/* SPDX-License-Identifier: Apache-2.0
 *
 * One listing, then up to AT_ONCE requests in parallel: as many as stores accept from one client.
 */
#include "ship/catalog.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "base/text.h"
#include "ship/case_facts.h"

enum { AT_ONCE = 64 };

void catalog_done(struct catalog *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->entry[i].key);
    free(c->entry);
    free(c->object);
    *c = (struct catalog){0};
}

static uint64_t hash(const char *key, size_t size)
{
    return XXH3_64bits(key, size);
}

static int add_object(struct catalog *c, const char *key)
{
    int r = array_reserve(&c->object, c->object_count + 1, &c->object_capacity, sizeof(*c->object), SIZE_MAX);

    if (r < 0)
        return r;
    c->object[c->object_count++] = hash(key, strlen(key));
    return 0;
}

/* The time in "shop/cart/20261121T015605Z-java-oom-ID/heap.hprof.zst"; 0 if there is none. */
static int64_t time_in_key(const char *key)
{
    static const char LIKE[] = "00000000T000000Z-";
    char text[CLOCK_TEXT_MAX];
    int64_t ns;

    for (const char *at = key; at; at = strchr(at, '/')) {
        size_t i = 0;

        at += *at == '/';
        while (LIKE[i] && (LIKE[i] == '0' ? at[i] >= '0' && at[i] <= '9' : at[i] == LIKE[i]))
            i++;
        if (LIKE[i])
            continue;
        snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", at, at + 4, at + 6, at + 9, at + 11, at + 13);
        return clock_parse(text, &ns) == 0 ? ns : 0;
    }
    return 0;
}

static int add_manifest(struct catalog *c, const struct sink_listing_entry *found)
{
    size_t size = strlen(found->key) - strlen(MANIFEST_SUFFIX);
    int64_t in_key = time_in_key(found->key);
    struct catalog_entry one = {.time_ns = found->time_ns};
    int r = array_reserve(&c->entry, c->count + 1, &c->capacity, sizeof(*c->entry), SIZE_MAX);

    if (r < 0)
        return r;
    if (found->time_ns != 0 && in_key > one.time_ns)
        one.time_ns = in_key;
    if ((c->bytes += size + 1) > CATALOG_BYTES)
        return -EMSGSIZE;
    if (!(one.key = strndup(found->key, size)))
        return -ENOMEM;
    c->entry[c->count++] = one;
    return 0;
}

struct collecting {
    struct catalog *catalog;
    const char *prefix; /* other keys are left out */
};

static int on_entry(void *ctx, const struct sink_listing_entry *entry)
{
    const struct collecting *c = ctx;

    if (!text_starts(entry->key, c->prefix))
        return 0;
    if (case_is_answer(entry->key))
        return 0;
    return text_ends(entry->key, MANIFEST_SUFFIX) ? add_manifest(c->catalog, entry)
                                                  : add_object(c->catalog, entry->key);
}

/* A bucket lists by any prefix, other stores by folder. */
static int list_below(struct catalog *c, struct sink *sink, const struct sink_config *config, const char *prefix,
                      struct err *e)
{
    struct collecting collecting = {c, prefix};
    const char *slash = strrchr(prefix, '/');
    CLEANUP_FREE char *folder =
        url_in_bucket(config->url.scheme) ? strdup(prefix) : strndup(prefix, slash ? (size_t)(slash - prefix) : 0);
    int r = folder ? sink->ops->list(sink, folder, on_entry, &collecting, e) : -ENOMEM;

    if (r == -ENOMEM)
        return err_set(e, r, "out of memory");
    return r == -EMSGSIZE ? err_set(e, r, "there are too many cases in the store for one list: name a place") : r;
}

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct catalog_entry *)a)->key, ((const struct catalog_entry *)b)->key);
}

/* An entry without a time counts as the newest. */
static int newest_first(const void *a, const void *b)
{
    const struct catalog_entry *x = a, *y = b;
    int64_t at = x->time_ns ? x->time_ns : INT64_MAX, bt = y->time_ns ? y->time_ns : INT64_MAX;

    return at < bt ? 1 : at > bt ? -1 : strcmp(y->key, x->key);
}

/* Places may overlap: each entry once. */
static void sort(struct catalog *c)
{
    size_t kept = 0;

    if (c->object_count > 0)
        qsort(c->object, c->object_count, sizeof(*c->object), compare_hashes);
    if (c->count == 0)
        return;
    qsort(c->entry, c->count, sizeof(*c->entry), compare_keys);
    for (size_t i = 0; i < c->count; i++) {
        struct catalog_entry *one = &c->entry[i];
        uint64_t key = hash(one->key, strlen(one->key));

        if (kept > 0 && text_eq(one->key, c->entry[kept - 1].key)) {
            free(one->key);
            continue;
        }
        one->whole = c->object && bsearch(&key, c->object, c->object_count, sizeof(key), compare_hashes);
        c->entry[kept++] = *one;
    }
    c->count = kept;
    qsort(c->entry, c->count, sizeof(*c->entry), newest_first);
}

int catalog_list(struct catalog *c, struct sink *sink, const struct sink_config *config, char *const *places,
                 struct err *e)
{
    bool all = !*places;
    int r = 0;

    assert(sink && config && !c->entry);
    for (; r == 0 && *places; places++)
        r = list_below(c, sink, config, *places, e);
    if (r == 0 && (all || c->count == 0))
        r = list_below(c, sink, config, "", e);
    if (r == 0)
        sort(c);
    return r;
}

struct reading {
    const struct catalog *catalog;
    struct sink *sink;
    const struct catalog_reader *reader;

    pthread_mutex_t lock; /* for the fields below; held while wanted and take are called */
    size_t next;
    bool over;
    int result;
    struct err err;
};

/* Whether the fault concerns one object only, not the store. */
static bool is_of_object(int result)
{
    return result == -FAULT_FORMAT || result == -EMSGSIZE || result == -FAULT_DENIED || result == -FAULT_REFUSED ||
           result == -FAULT_CORRUPT || result == -FAULT_NO_OBJECT || result == -FAULT_CHANGED;
}

/* With the lock held. */
static const struct catalog_entry *next_entry(struct reading *g)
{
    while (!g->over && g->next < g->catalog->count) {
        const struct catalog_entry *one = &g->catalog->entry[g->next++];
        int r = g->reader->wanted(g->reader->ctx, one);

        if (r < 0)
            g->over = true;
        else if (r > 0)
            return one;
    }
    return NULL;
}

static void read_one(struct reading *g, void **connection, struct catalog_read *one)
{
    CLEANUP(buf_done) struct buf path = {0};

    one->text = (struct buf){.ceiling = MANIFEST_MAX};
    one->result = buf_printf(&path, "%s" MANIFEST_SUFFIX, one->entry->key);
    if (one->result == 0)
        one->result = g->sink->ops->load(g->sink, connection, buf_text(&path), &one->text, &one->err);
    if (one->result == 0)
        one->result = manifest_decode(buf_text(&one->text), one->text.size, &one->manifest, &one->err);
}

static void read_some(void *ctx)
{
    struct reading *g = ctx;
    struct catalog_read one = {0};
    void *connection = NULL;
    int r = 0;

    pthread_mutex_lock(&g->lock);
    while (r == 0 && (one.entry = next_entry(g))) {
        pthread_mutex_unlock(&g->lock);
        read_one(g, &connection, &one);
        pthread_mutex_lock(&g->lock);
        r = one.result < 0 && !is_of_object(one.result) ? one.result : 0;
        if (r == 0 && !g->over)
            r = g->reader->take(g->reader->ctx, &one);
        if (r < 0 && g->result == 0) {
            g->result = r;
            g->err = one.err;
        }
        g->over = g->over || r < 0;
        manifest_done(&one.manifest);
        buf_done(&one.text);
        one = (struct catalog_read){0};
    }
    pthread_mutex_unlock(&g->lock);
    g->sink->ops->load_end(connection);
}

int catalog_read(const struct catalog *c, struct sink *sink, const struct catalog_reader *reader, struct err *e)
{
    struct reading g = {.catalog = c, .sink = sink, .reader = reader, .lock = PTHREAD_MUTEX_INITIALIZER};

    assert(sink && reader->wanted && reader->take);
    parallel_run(c->count < AT_ONCE ? (unsigned)c->count : AT_ONCE, read_some, &g);
    pthread_mutex_destroy(&g.lock);
    if (g.result < 0)
        *e = g.err;
    return g.result == -ENOMEM ? err_set(e, g.result, "out of memory") : g.result;
}
