/* SPDX-License-Identifier: Apache-2.0
 *
 * Names are kept in one block, each behind a byte with its type, and sorted by their offsets. Sizes and times are asked
 * for one after the other, while the listing is sent.
 */
#include "serve/folder_list.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "serve/object_answer.h"
#include "serve/root.h"
#include "serve/store_folder.h"

enum {
    SORTED_MAX = 8 * 1024 * 1024,      /* bytes of names of one folder: about 150,000 */
    ALL_SORTED_MAX = 16 * 1024 * 1024, /* of all listings at one time */
    STEP = 256 * 1024,
    IS_FOLDER = 'd',
    IS_FILE = 'f',
};

static atomic_size_t all_sorted;

struct folder_list {
    struct request *request;
    const struct folder_source *source; /* NULL: dir */
    void *source_state;
    DIR *dir;
    bool is_root;
    bool sorted; /* else names is empty, and dir is read once more */
    char *names;
    size_t names_size, names_capacity;
    uint32_t *order; /* offsets in names */
    size_t count, order_capacity, next;
    size_t counted; /* in all_sorted */
};

static void drop_names(struct folder_list *l)
{
    free(l->names);
    free(l->order);
    atomic_fetch_sub(&all_sorted, l->counted);
    l->names = NULL;
    l->order = NULL;
    l->names_size = l->names_capacity = l->count = l->order_capacity = l->counted = 0;
}

void folder_list_free(struct folder_list *l)
{
    if (!l)
        return;
    drop_names(l);
    if (l->source_state)
        l->source->free(l->source_state);
    if (l->dir)
        closedir(l->dir);
    free(l);
}

DEFINE_CLEANUP(struct folder_list *, folder_list_free)

/* 'd', 'f'; 0 for what is neither, and for what is gone. */
static char type_of(const struct folder_list *l, const struct dirent *d)
{
    struct stat st;

    if (d->d_type == DT_REG)
        return IS_FILE;
    if (d->d_type == DT_DIR)
        return IS_FOLDER;
    if (d->d_type != DT_UNKNOWN || fstatat(dirfd(l->dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return S_ISREG(st.st_mode) ? IS_FILE : S_ISDIR(st.st_mode) ? IS_FOLDER : 0;
}

static bool is_key(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return *name && !root_hides(name);
}

/* 1: may be listed; 0; -EAGAIN. In the root a folder is a namespace. */
static int is_visible(struct folder_list *l, const char *name, char type)
{
    struct request *r = l->request;
    unsigned rights = r->rights;

    if (!l->is_root)
        return 1;
    if (text_eq(name, "-"))
        return 0; /* its keys are our pages' */
    if (type == IS_FOLDER)
        rights = caller_may_list(r->serve->access, r->caller, name);
    if (rights & RIGHT_LIST)
        return 1;
    return rights & RIGHT_UNKNOWN ? -EAGAIN : 0;
}

/* The next name of the disk's order: its type, 0 at the end, -errno. */
static int read_name(struct folder_list *l, const char **ret)
{
    for (;;) {
        const struct dirent *d;
        char type;
        int r;

        errno = 0;
        if (!(d = readdir(l->dir)))
            return -errno;
        if (!is_key(d->d_name) || !(type = type_of(l, d)))
            continue;
        if ((r = is_visible(l, d->d_name, type)) < 0)
            return r;
        *ret = d->d_name;
        if (r > 0)
            return type;
    }
}

/* Counts what a list holds; false if that would be too much. */
static bool may_hold(struct folder_list *l, size_t bytes)
{
    if (bytes <= l->counted)
        return true;
    if (bytes > SORTED_MAX || atomic_load(&all_sorted) + STEP > ALL_SORTED_MAX)
        return false;
    atomic_fetch_add(&all_sorted, STEP);
    l->counted += STEP;
    return true;
}

/* -E2BIG: too much to be sorted. */
static int keep_name(struct folder_list *l, char type, const char *name)
{
    size_t size = strlen(name) + 2;

    if (!may_hold(l, l->names_size + size + (l->count + 1) * sizeof(*l->order)) ||
        array_reserve(&l->names, l->names_size + size, &l->names_capacity, 1, SORTED_MAX) < 0 ||
        array_reserve(&l->order, l->count + 1, &l->order_capacity, sizeof(*l->order), SORTED_MAX) < 0)
        return -E2BIG;
    l->order[l->count++] = (uint32_t)l->names_size;
    l->names[l->names_size] = type;
    memcpy(l->names + l->names_size + 1, name, size - 1);
    l->names_size += size;
    return 0;
}

static int by_type_and_name(const void *a, const void *b, void *names)
{
    return strcmp((const char *)names + *(const uint32_t *)a, (const char *)names + *(const uint32_t *)b);
}

static int collect(struct folder_list *l)
{
    const char *name = NULL;
    int type, r = 0;

    while (r == 0 && (type = read_name(l, &name)) > 0 && name)
        r = keep_name(l, (char)type, name);
    if (r == 0 && type < 0)
        return type;
    if (r == -E2BIG) {
        drop_names(l);
        rewinddir(l->dir);
        return 0;
    }
    l->sorted = true;
    if (l->count > 0)
        qsort_r(l->order, l->count, sizeof(*l->order), by_type_and_name, l->names);
    return 0;
}

int folder_list_new(struct request *r, struct folder_list **ret)
{
    CLEANUP(folder_list_free_ptr) struct folder_list *l = calloc(1, sizeof(*l));
    CLEANUP_FD int fd = -1;
    int result;

    assert(r && ret && r->serve->root_fd >= 0);
    if (!l)
        return -ENOMEM;
    l->request = r;
    l->is_root = !*r->key;
    if ((fd = root_open(r->serve->root_fd, r->key, O_RDONLY | O_DIRECTORY)) < 0)
        return fd;
    if (!(l->dir = fdopendir(fd)))
        return -errno;
    TAKE_FD(fd);
    if ((result = collect(l)) < 0)
        return result;
    *ret = TAKE_PTR(l);
    return 0;
}

int folder_list_next(struct folder_list *l, struct folder_entry *ret)
{
    struct stat st;
    const char *name;
    int type;

    if (l->source)
        return l->source->next(l->source_state, ret);
    do {
        if (l->sorted) {
            if (l->next == l->count)
                return 0;
            type = (unsigned char)l->names[l->order[l->next]];
            name = l->names + l->order[l->next++] + 1;
        } else if ((type = read_name(l, &name)) <= 0) {
            return type;
        }
    } while (fstatat(dirfd(l->dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
             !(type == IS_FOLDER ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)));
    *ret = (struct folder_entry){.name = name,
                                 .folder = type == IS_FOLDER,
                                 .size = (uint64_t)st.st_size,
                                 .modified_ns = root_time_ns(&st.st_mtim)};
    return 1;
}

static int shows(void *list, const char *name, bool folder)
{
    return is_key(name) ? is_visible(list, name, folder ? IS_FOLDER : IS_FILE) : 0;
}

static int open_store_folder(struct request *r, struct folder_list **ret, bool *ret_empty, struct err *e)
{
    CLEANUP(folder_list_free_ptr) struct folder_list *l = calloc(1, sizeof(*l));
    struct store_folder *f;
    int result;

    if (!l)
        return err_set(e, -ENOMEM, "out of memory");
    if (root_hides(r->key))
        return -ENOENT;
    l->request = r;
    l->is_root = !*r->key;
    l->source = &STORE_FOLDER;
    if ((result = store_folder_open(r->serve->gateway, r->key, &(struct store_folder_filter){shows, l}, &f, e)) < 0)
        return result;
    l->source_state = f;
    *ret_empty = store_folder_is_empty(f);
    *ret = TAKE_PTR(l);
    return 0;
}

static int add_namespace(void *ctx, const struct usage_row *row)
{
    return row->namespace && *row->namespace ? strv_add(ctx, row->namespace) : 0;
}

/* The root's folders are asked about one by one while they are listed: the answers about those with cases are there by
 * then. */
static void ask_ahead(struct request *r)
{
    CLEANUP(strv_done) struct strv names = {0};
    CLEANUP_FREE unsigned *rights = NULL;
    struct err ignored;

    if (!r->serve->catalogue || catalogue_usage(r->serve->catalogue, NULL, add_namespace, &names, &ignored) < 0 ||
        !(rights = calloc(names.count + 1, sizeof(*rights))))
        return;
    caller_may_list_each(r->serve->access, r->caller, (const char *const *)names.item, names.count, rights);
}

bool folder_list_open(struct request *r, struct folder_list **ret)
{
    CLEANUP(folder_list_free_ptr) struct folder_list *l = NULL;
    struct err e = {0};
    bool empty = false;
    int result;

    if (!*r->key)
        ask_ahead(r);
    result = r->serve->gateway ? open_store_folder(r, &l, &empty, &e) : folder_list_new(r, &l);
    if (result <= -FAULT_FIRST) {
        gateway_fail(r, result, &e);
        return false;
    }
    if (result < 0 || !l) {
        object_answer_absent(r, result);
        return false;
    }
    if (!r->serve->gateway)
        empty = l->sorted && l->count == 0;
    if (l->is_root && empty && caller_is_anonymous(r->caller) && !request_may(r, RIGHT_LIST))
        return false;
    *ret = TAKE_PTR(l);
    return true;
}
