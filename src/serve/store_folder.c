/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders first, then objects, by name: a store lists both mixed, page by page, and may repeat a folder.
 */
#include "serve/store_folder.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    ENTRIES_MAX = 200 * 1000,          /* of one folder */
    ALL_BYTES_MAX = 128 * 1024 * 1024, /* of all listings at one time */
    STEP = 256 * 1024,
};

static atomic_size_t all_bytes;

struct stored {
    char *name;
    bool folder;
    uint64_t size;
    int64_t modified_ns;
};

struct store_folder {
    struct stored *item;
    size_t count, capacity, next;
    size_t bytes, counted;                    /* of names and items; of all_bytes */
    bool any;                                 /* something lies there, if hidden */
    size_t prefix;                            /* bytes of the folder's key */
    const struct store_folder_filter *filter; /* while it is being filled */
};

static void store_folder_free(void *state)
{
    struct store_folder *f = state;

    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        free(f->item[i].name);
    free(f->item);
    atomic_fetch_sub(&all_bytes, f->counted);
    free(f);
}

static void store_folder_free_ptr(struct store_folder **f)
{
    store_folder_free(*f);
}

/* False if all listings together would take too much. */
static bool may_hold(struct store_folder *f, size_t bytes)
{
    f->bytes += bytes;
    while (f->counted < f->bytes) {
        if (atomic_fetch_add(&all_bytes, STEP) + STEP > ALL_BYTES_MAX) {
            atomic_fetch_sub(&all_bytes, STEP);
            return false;
        }
        f->counted += STEP;
    }
    return true;
}

static int keep(struct store_folder *f, const struct stored *s)
{
    int r;

    if (!may_hold(f, sizeof(*s) + strlen(s->name) + 1))
        return -FAULT_BUSY;
    if ((r = array_reserve(&f->item, f->count + 1, &f->capacity, sizeof(*f->item), ENTRIES_MAX)) < 0)
        return r == -E2BIG ? -FAULT_BUSY : r;
    f->item[f->count++] = *s;
    return 0;
}

static int take(void *ctx, const struct sink_listing_entry *entry)
{
    struct store_folder *f = ctx;
    struct stored s = {.size = entry->size, .modified_ns = entry->time_ns};
    size_t size = strlen(entry->key);
    int r;

    f->any = true;
    if (size <= f->prefix) /* the folder itself, as some tools make one */
        return 0;
    s.folder = entry->key[size - 1] == '/';
    s.name = strndup(entry->key + f->prefix, size - f->prefix - (s.folder ? 1 : 0));
    if (!s.name)
        return -ENOMEM;
    if ((r = f->filter->shows(f->filter->ctx, s.name, s.folder)) > 0 && (r = keep(f, &s)) == 0)
        return 0;
    free(s.name);
    return r;
}

static int by_type_and_name(const void *a, const void *b)
{
    const struct stored *x = a, *y = b;

    return x->folder != y->folder ? (int)y->folder - (int)x->folder : strcmp(x->name, y->name);
}

/* With a '/' behind it, unless it is the root. */
static char *folder_key(const char *key)
{
    char *folder;

    return asprintf(&folder, "%s%s", key, *key && !text_ends(key, "/") ? "/" : "") < 0 ? NULL : folder;
}

static int list(struct gateway *g, const char *folder, struct store_folder *f, struct err *e)
{
    struct sink *s;
    int r = gateway_take(g, &s, e);

    if (r < 0)
        return r;
    r = s->ops->list_folder(s, folder, take, f, e);
    gateway_give(g, s, r);
    if (r == -FAULT_BUSY && f->bytes > 0 && !*e->msg)
        err_set(e, r, "'%.200s' has more names than can be listed: name a folder in it", folder);
    return r;
}

int store_folder_open(struct gateway *g, const char *key, const struct store_folder_filter *filter,
                      struct store_folder **ret, struct err *e)
{
    CLEANUP(store_folder_free_ptr) struct store_folder *f = calloc(1, sizeof(*f));
    CLEANUP_FREE char *folder = folder_key(key);
    int r;

    assert(g && filter && filter->shows && ret);
    if (!f || !folder)
        return err_set(e, -ENOMEM, "out of memory");
    f->prefix = strlen(folder);
    f->filter = filter;
    *e = (struct err){0};
    if ((r = list(g, folder, f, e)) < 0)
        return r;
    f->filter = NULL;
    if (!f->any && *folder)
        return -ENOENT;
    if (f->count > 0)
        qsort(f->item, f->count, sizeof(*f->item), by_type_and_name);
    *ret = TAKE_PTR(f);
    return 0;
}

static int stop(void *ctx, const struct sink_listing_entry *entry)
{
    bool *any = ctx;

    (void)entry;
    *any = true;
    return -ECANCELED;
}

int store_folder_exists(struct gateway *g, const char *key, struct err *e)
{
    CLEANUP_FREE char *folder = folder_key(key);
    struct sink *s;
    bool any = false;
    int r;

    assert(g && key);
    if (!folder)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = sink_pool_take(gateway_sinks(g), &s, e)) < 0)
        return r;
    r = s->ops->list_folder(s, folder, stop, &any, e);
    sink_pool_give(gateway_sinks(g), s);
    return any ? 1 : r;
}

bool store_folder_is_empty(const struct store_folder *f)
{
    return f->count == 0;
}

static int store_folder_next(void *state, struct folder_entry *ret)
{
    struct store_folder *f = state;
    const struct stored *s;

    while (f->next > 0 && f->next < f->count && by_type_and_name(&f->item[f->next - 1], &f->item[f->next]) == 0)
        f->next++;
    if (f->next == f->count)
        return 0;
    s = &f->item[f->next++];
    *ret = (struct folder_entry){.name = s->name, .folder = s->folder, .size = s->size, .modified_ns = s->modified_ns};
    return 1;
}

const struct folder_source STORE_FOLDER = {store_folder_next, store_folder_free};
