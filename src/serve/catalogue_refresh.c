/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's listing against the index: manifests that are new or other than they were are read, the newest first;
 * what is gone leaves the index. Of a listing only hashes and sizes are kept.
 */
#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/catalogue_bare.h"
#include "serve/catalogue_suspect.h"
#include "ship/case_facts.h"
#include "ship/catalog.h"

enum { NAMESPACES_MAX = 10000, NEW_BYTES_MAX = 256 * 1024 * 1024, WHOLE_EACH = 6 };

static void waiting_done(struct waiting *w)
{
    manifest_done(&w->manifest);
    free(w->key);
    free(w->broken);
    *w = (struct waiting){0};
}

static void refresh_free(struct refresh *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->batch_count; i++)
        waiting_done(&r->batch[i]);
    for (size_t i = 0; i < r->found_count; i++)
        free(r->found[i].key);
    for (size_t i = 0; i < r->analysis_count; i++)
        free(r->analyses[i].key);
    for (size_t i = 0; i < r->space_count; i++)
        free(r->space[i].namespace);
    strv_done(&r->pins);
    bare_done(r);
    free(r->found);
    free(r->analyses);
    free(r->listed);
    free(r->space);
    free(r);
}

DEFINE_CLEANUP(struct refresh *, refresh_free)

static bool is_stopping(struct catalogue *c)
{
    bool stop;

    pthread_mutex_lock(&c->lock);
    stop = c->stop;
    pthread_mutex_unlock(&c->lock);
    return stop;
}

bool pass_is_stopping(const struct refresh *r)
{
    return is_stopping(r->catalogue);
}

static int compare_listed(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;

    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static const struct listed *find_listed(const struct refresh *r, const char *key)
{
    struct listed wanted = {.hash = XXH3_64bits(key, strlen(key))};

    return r->listed_count == 0 ? NULL
                                : bsearch(&wanted, r->listed, r->listed_count, sizeof(*r->listed), compare_listed);
}

/* The row of a namespace; those beyond NAMESPACES_MAX share the first. NULL without memory. */
static struct space *space_of(struct refresh *r, const char *key)
{
    CLEANUP_FREE char *namespace = case_namespace(key);
    size_t i = r->space_last;

    if (!namespace)
        return NULL;
    if (i < r->space_count && text_eq(r->space[i].namespace, namespace))
        return &r->space[i];
    for (i = 0; i < r->space_count && !text_eq(r->space[i].namespace, namespace);)
        i++;
    if (i == NAMESPACES_MAX)
        return &r->space[0];
    if (i == r->space_count) {
        if (array_reserve(&r->space, i + 1, &r->space_capacity, sizeof(*r->space), NAMESPACES_MAX) < 0)
            return NULL;
        r->space[r->space_count++] = (struct space){.namespace = TAKE_PTR(namespace)};
    }
    r->space_last = i;
    return &r->space[i];
}

/* listed_ns is set by this thread alone. */
static bool is_said_again(const struct catalogue *c, const struct sink_listing_entry *entry)
{
    return c->found && c->listed_ns == 0 && entry->time_ns >= c->found_since_ns;
}

static int add_found(struct refresh *r, const struct sink_listing_entry *entry, const char *key)
{
    struct new_manifest one = {.size = entry->size, .time_ns = entry->time_ns};
    uint64_t size;
    int64_t time_ns;
    int known = index_known(r->catalogue->index, key, &size, &time_ns, r->e);

    if (known < 0)
        return known;
    if (known && size == entry->size && (time_ns == entry->time_ns || time_ns == 0) &&
        !is_said_again(r->catalogue, entry))
        return 0;
    if ((r->found_bytes += strlen(key) + sizeof(one)) > NEW_BYTES_MAX)
        return err_set(r->e, -EMSGSIZE, "catalogue: more new manifests than can be held at once");
    if (array_reserve(&r->found, r->found_count + 1, &r->found_capacity, sizeof(*r->found), SIZE_MAX) < 0 ||
        !(one.key = strdup(key)))
        return -ENOMEM;
    r->found[r->found_count++] = one;
    return 0;
}

int pass_on_entry(void *ctx, const struct sink_listing_entry *entry)
{
    struct refresh *r = ctx;
    size_t size = strlen(entry->key);
    struct space *space = space_of(r, entry->key);
    int result;

    if (r->listed_count % 1024 == 0 && is_stopping(r->catalogue))
        return -ECANCELED;
    if (!space || array_reserve(&r->listed, r->listed_count + 1, &r->listed_capacity, sizeof(*r->listed), SIZE_MAX) < 0)
        return -ENOMEM;
    r->listed[r->listed_count++] = (struct listed){XXH3_64bits(entry->key, size), entry->size};
    space->objects++;
    space->bytes += entry->size;
    if (text_ends(entry->key, CASE_PIN_SUFFIX)) {
        CLEANUP_FREE char *id = strndup(entry->key, size - strlen(CASE_PIN_SUFFIX));

        return id ? strv_add(&r->pins, id) : -ENOMEM;
    }
    if (suspect_is_key(entry->key) && (result = pass_on_analysis(r, entry)) < 0)
        return result;
    if (!text_ends(entry->key, MANIFEST_SUFFIX) || case_is_answer(entry->key))
        return bare_on_entry(r, entry);
    CLEANUP_FREE char *key = strndup(entry->key, size - strlen(MANIFEST_SUFFIX));

    result = key ? add_found(r, entry, key) : -ENOMEM;
    return result;
}

static int newest_first(const void *a, const void *b)
{
    const struct new_manifest *x = a, *y = b;

    return x->time_ns < y->time_ns ? 1 : x->time_ns > y->time_ns ? -1 : strcmp(y->key, x->key);
}

/* A name such as package.json is no manifest, as no object "package" lies beside it. */
static void keep_whole(struct refresh *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->found_count; i++) {
        if (find_listed(r, r->found[i].key))
            r->found[kept++] = r->found[i];
        else
            free(r->found[i].key);
    }
    r->found_count = kept;
    if (kept > 0)
        qsort(r->found, kept, sizeof(*r->found), newest_first);
}

void pass_end_listing(struct refresh *r)
{
    if (r->listed_count > 0)
        qsort(r->listed, r->listed_count, sizeof(*r->listed), compare_listed);
    keep_whole(r);
    bare_say(r);
}

bool pass_has_listed(const struct refresh *r, const char *key)
{
    return find_listed(r, key) != NULL;
}

static void say_found(const struct catalogue *c, const struct waiting *w)
{
    if (c->found && !w->broken)
        c->found(c->found_ctx, w->key, &w->manifest, w->file_time_ns);
}

static int flush(struct refresh *r, struct err *e)
{
    struct index *x = r->catalogue->index;
    int result, committed;

    if (r->batch_count == 0)
        return 0;
    if ((result = index_begin(x, e)) < 0)
        return result;
    for (size_t i = 0; result == 0 && i < r->batch_count; i++) {
        const struct waiting *w = &r->batch[i];

        result = index_put(x,
                           &(struct index_object){.key = w->key,
                                                  .manifest = w->broken ? NULL : &w->manifest,
                                                  .broken = w->broken,
                                                  .stored_size = w->stored_size,
                                                  .file_size = w->file_size,
                                                  .file_time_ns = w->file_time_ns},
                           e);
    }
    committed = result == 0 ? index_commit(x, e) : index_rollback(x, result);
    if (committed == 0)
        catalogue_bump(r->catalogue);
    for (size_t i = 0; i < r->batch_count; i++) {
        if (committed == 0)
            say_found(r->catalogue, &r->batch[i]);
        waiting_done(&r->batch[i]);
    }
    r->batch_count = 0;
    return committed;
}

/* The reading of found[i]: entries of the catalog are in the same order. */
struct reading {
    struct refresh *refresh;
    const struct catalog *catalog;
};

static int wanted(void *ctx, const struct catalog_entry *entry)
{
    const struct reading *g = ctx;

    (void)entry;
    return is_stopping(g->refresh->catalogue) ? -1 : 1;
}

static int take(void *ctx, struct catalog_read *one)
{
    const struct reading *g = ctx;
    struct refresh *r = g->refresh;
    const struct new_manifest *found = &r->found[one->entry - g->catalog->entry];
    const struct listed *object = find_listed(r, found->key);
    struct waiting *w = &r->batch[r->batch_count];

    /* What is refused or was removed meanwhile is asked for again with the next listing. */
    if (one->result < 0 && one->result != -FAULT_FORMAT && one->result != -EMSGSIZE)
        return 0;
    *w = (struct waiting){.stored_size = object ? object->size : 0,
                          .file_size = found->size,
                          .file_time_ns = found->time_ns,
                          .key = strdup(found->key)};
    r->batch_count++;
    if (one->result < 0)
        w->broken = strdup(one->err.msg);
    if (!w->key || (one->result < 0 && !w->broken))
        return -ENOMEM;
    w->manifest = one->manifest;
    one->manifest = (struct manifest){0};
    return r->batch_count == PASS_BATCH ? flush(r, &one->err) : 0;
}

int pass_read_new(struct refresh *r, struct err *e)
{
    struct catalog catalog = {.count = r->found_count};
    struct reading reading = {r, &catalog};
    int result;

    if (catalog.count == 0)
        return pass_read_suspects(r, e);
    if (!(catalog.entry = calloc(catalog.count, sizeof(*catalog.entry))))
        return err_set(e, -ENOMEM, "out of memory");
    for (size_t i = 0; i < catalog.count; i++)
        catalog.entry[i] = (struct catalog_entry){r->found[i].key, r->found[i].time_ns, true};
    result = catalog_read(&catalog, r->catalogue->sink, &(struct catalog_reader){wanted, take, &reading}, e);
    free(catalog.entry);
    if (result < 0 || (result = flush(r, e)) < 0)
        return result;
    return pass_read_suspects(r, e);
}

/* Keys (or paths of pins) of the index that are, with the suffix, not in the listing. */
static int find_gone(const struct refresh *r, const char *sql, const char *suffix, struct strv *ret, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    struct index *x = r->catalogue->index;
    int result = sql_prepare(index_read_begin(x), sql, &s, e);

    while (result == 0 && (result = sql_step(s, e)) == 1) {
        CLEANUP(buf_done) struct buf name = {0};
        const char *key = sql_column_text(s, 0);

        result = buf_printf(&name, "%s%s", key, suffix);
        if (result == 0 && !find_listed(r, buf_text(&name)))
            result = strv_add(ret, key);
    }
    sql_finish(&s);
    s = NULL;
    index_read_end(x);
    return result == -ENOMEM ? err_set(e, result, "out of memory") : result;
}

int pass_drop(struct refresh *r, const struct strv *objects, const struct strv *pins, struct err *e)
{
    struct index *x = r->catalogue->index;
    int result;

    for (size_t i = 0; i < objects->count;) {
        if ((result = index_begin(x, e)) < 0)
            return result;
        for (size_t end = i + PASS_BATCH; result == 0 && i < objects->count && i < end; i++)
            result = index_drop(x, objects->item[i], e);
        if ((result = result == 0 ? index_commit(x, e) : index_rollback(x, result)) < 0)
            return result;
    }
    if ((result = index_begin(x, e)) < 0)
        return result;
    for (size_t i = 0; result == 0 && i < pins->count; i++)
        result = index_pin(x, pins->item[i], false, e);
    for (size_t i = 0; result == 0 && i < r->pins.count; i++)
        result = index_pin(x, r->pins.item[i], true, e);
    if (objects->count > 0 || pins->count > 0 || x->changes > 0)
        catalogue_bump(r->catalogue);
    return result == 0 ? index_commit(x, e) : index_rollback(x, result);
}

static int drop_gone(struct refresh *r, struct err *e)
{
    CLEANUP(strv_done) struct strv objects = {0}, pins = {0};
    int result;

    if ((result = find_gone(r, "SELECT key FROM objects", MANIFEST_SUFFIX, &objects, e)) < 0 ||
        (result = find_gone(r, "SELECT key FROM objects", "", &objects, e)) < 0 ||
        (result = find_gone(r, "SELECT path FROM pins", CASE_PIN_SUFFIX, &pins, e)) < 0)
        return result;
    result = pass_drop(r, &objects, &pins, e);
    return result < 0 ? result : pass_drop_suspects(r, e);
}

/* What the namespaces hold beside the evidence that the index counts. */
static int set_others(struct refresh *r, struct err *e)
{
    struct index *x = r->catalogue->index;
    int result = index_begin(x, e);

    if (result < 0)
        return result;
    result = index_clear_others(x, e);
    for (size_t i = 0; result == 0 && i < r->space_count; i++)
        result = index_set_space(x, r->space[i].namespace, r->space[i].objects, r->space[i].bytes, e);
    if (result == 0)
        result = index_meta_set(x, "complete", 1, e);
    return result == 0 ? index_commit(x, e) : index_rollback(x, result);
}

static int refresh(struct refresh *r, struct err *e)
{
    int result = r->catalogue->sink->ops->list(r->catalogue->sink, "", pass_on_entry, r, e);

    if (result < 0)
        return result == -ENOMEM ? err_set(e, result, "out of memory") : result;
    pass_end_listing(r);
    if ((result = drop_gone(r, e)) < 0 || (result = pass_read_new(r, e)) < 0)
        return result;
    return is_stopping(r->catalogue) ? 0 : set_others(r, e);
}

static struct refresh *refresh_new(struct catalogue *c, struct err *e)
{
    struct refresh *r = calloc(1, sizeof(*r));

    if (r)
        *r = (struct refresh){.catalogue = c, .e = e};
    return r;
}

/* 1: it was enough to list where something new is likely; 0: all has to be listed. */
static int try_news(struct catalogue *c, struct err *e)
{
    CLEANUP(refresh_free_ptr) struct refresh *r = NULL;

    if (!c->sink->ops->list_after || c->whole_objects == 0 || clock_left_ms(c->whole_at_ms) == 0)
        return 0;
    r = refresh_new(c, e);
    return r ? catalogue_list_news(r, e) : err_set(e, -ENOMEM, "out of memory");
}

static int list_whole(struct catalogue *c, struct err *e)
{
    CLEANUP(refresh_free_ptr) struct refresh *r = refresh_new(c, e);
    int result = r ? refresh(r, e) : err_set(e, -ENOMEM, "out of memory");

    c->whole_objects = result == 0 ? r->listed_count : 0;
    c->whole_at_ms = clock_mono_ms() + WHOLE_EACH * c->refresh_ms;
    return result;
}

int catalogue_refresh(struct catalogue *c, struct err *e)
{
    int result;

    if ((result = catalogue_open_sink(c, e)) < 0)
        return result;
    if ((result = try_news(c, e)) == 0)
        result = list_whole(c, e);
    else if (result < 0)
        c->whole_objects = 0; /* the next time all of it */
    malloc_trim(0);           /* of the names and manifests of a large store much would stay ours */
    return is_stopping(c) ? 0 : catalogue_done_with_sink(c, result < 0 ? result : 0);
}
