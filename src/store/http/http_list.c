/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies on a file server, by its folder listings (nginx's autoindex, Apache's mod_autoindex). Goes no deeper than
 * DEPTH_MAX folders, and reads no more than FOLDERS_MAX: a server's symlinks may run in circles, and a hostile one has
 * folders without end. Hidden and temporary names are left out.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/text.h"
#include "store/http/autoindex.h"
#include "store/http/http_store.h"

enum { DEPTH_MAX = 8, FOLDERS_MAX = 50 * 1000, AT_ONCE = 64 };

/* A folder that is still to be listed. */
struct folder {
    struct folder *next;
    unsigned depth;
    char key[]; /* with a '/' behind it; "" at the prefix */
};

/* Folders are read by several threads at once: a case is a folder, and each is a request. */
struct listing {
    const struct http_store *store;
    int (*fn)(void *ctx, const struct sink_listing_entry *entry);
    void *ctx;

    pthread_mutex_t lock; /* for the following, and around fn */
    pthread_cond_t changed;
    struct folder *waiting;
    unsigned reading; /* threads that may still find folders */
    uint64_t folders, files;
    int result; /* of the first folder that failed */
    struct err err;
};

static int fail_no_listing(const struct http_request *r, const struct http_answer *a, const char *what, struct err *e)
{
    return err_set(e, -FAULT_REFUSED, "http: no listing at %s (%s %ld): turn autoindex on", r->url, what, a->status);
}

static int fetch_folder(const struct http_store *s, struct http *h, const char *key, struct autoindex *ret,
                        struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(s, key);
    struct http_request request;
    int r = http_store_request(s, "GET", url, &request, e);

    if (r < 0)
        return r;
    http_add_header(&request, "Accept", "application/json, */*;q=0.5"); /* a choice that `salvage serve` offers */
    r = http_store_send(h, &request, NULL, &answer, e);
    if (r < 0)
        return r;
    if (answer.status == 403)
        return fail_no_listing(&request, &answer, "answer", e);
    if (!http_store_ok(&answer))
        return http_store_fail(s, &request, &answer, e);
    r = autoindex_decode(buf_text(&answer.body), answer.body.size, ret);
    if (r == -EBADMSG)
        return fail_no_listing(&request, &answer, "another page, status", e);
    return r < 0 ? err_set(e, r, "http: cannot read the listing at %s: %s", url, strerror(-r)) : 0;
}

/* With the lock held. */
static int add_folder(struct listing *l, const char *above, const char *name, unsigned depth, struct err *e)
{
    size_t size = strlen(above) + strlen(name) + 2;
    struct folder *f;

    if (depth > DEPTH_MAX)
        return 0;
    if (++l->folders > FOLDERS_MAX)
        return err_set(e, -FAULT_REFUSED, "http: %s/ has more than %d folders: name a place, or a folder in it",
                       l->store->base, FOLDERS_MAX);
    if (!(f = malloc(sizeof(*f) + size)))
        return err_set(e, -ENOMEM, "out of memory");
    f->depth = depth;
    snprintf(f->key, size, "%s%s%s", above, name, *name ? "/" : "");
    f->next = l->waiting;
    l->waiting = f;
    pthread_cond_signal(&l->changed);
    return 0;
}

/* With the lock held. */
static int add_entry(struct listing *l, const struct folder *f, const struct autoindex_entry *entry, struct err *e)
{
    CLEANUP_FREE char *key = NULL;

    if (entry->name[0] == '.' || (!entry->folder && http_put_is_temporary(entry->name)))
        return 0;
    if (entry->folder)
        return add_folder(l, f->key, entry->name, f->depth + 1, e);
    if (++l->files > SINK_LISTED_MAX)
        return err_set(e, -FAULT_REFUSED, "http: %s/ has more than %d files: name a place, or a folder in it",
                       l->store->base, SINK_LISTED_MAX);
    if (asprintf(&key, "%s%s", f->key, entry->name) < 0) {
        key = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    return l->fn(l->ctx, &(struct sink_listing_entry){.key = key, .size = entry->size, .time_ns = entry->time_ns});
}

/* With the lock held, but not while the server is asked. */
static int read_folder(struct listing *l, struct http *h, const struct folder *f, struct err *e)
{
    CLEANUP(autoindex_done) struct autoindex index = {0};
    int r;

    pthread_mutex_unlock(&l->lock);
    r = fetch_folder(l->store, h, f->key, &index, e);
    pthread_mutex_lock(&l->lock);
    if (r == -FAULT_NO_OBJECT && f->depth > 0)
        return 0; /* removed meanwhile */
    for (size_t i = 0; r == 0 && l->result == 0 && i < index.count; i++)
        r = add_entry(l, f, &index.entry[i], e);
    return r;
}

/* The next folder; NULL once there is none, and none can come. With the lock held. */
static struct folder *next_folder(struct listing *l)
{
    struct folder *f;

    while (!l->waiting && l->reading > 0 && l->result == 0)
        pthread_cond_wait(&l->changed, &l->lock);
    if (l->result < 0 || !(f = l->waiting))
        return NULL;
    l->waiting = f->next;
    return f;
}

static void read_folders(void *ctx)
{
    struct listing *l = ctx;
    struct http *h = NULL;
    struct err e = {0};
    struct folder *f;
    int r = 0;

    pthread_mutex_lock(&l->lock);
    while (r == 0 && (f = next_folder(l))) {
        l->reading++;
        r = h ? 0 : http_new(&l->store->options, &h, &e);
        if (r == 0)
            r = read_folder(l, h, f, &e);
        l->reading--;
        free(f);
    }
    if (r < 0 && l->result == 0) {
        l->result = r;
        l->err = e;
    }
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    http_free(h);
}

int http_list(struct sink *s, const char *prefix, int (*fn)(void *ctx, const struct sink_listing_entry *entry),
              void *ctx, struct err *e)
{
    struct listing l = {.store = (const struct http_store *)s,
                        .fn = fn,
                        .ctx = ctx,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    CLEANUP_FREE char *folder = strdup(prefix);

    if (!folder)
        return err_set(e, -ENOMEM, "out of memory");
    for (size_t size = strlen(folder); size > 0 && folder[size - 1] == '/'; size--)
        folder[size - 1] = '\0';
    l.result = add_folder(&l, "", folder, 0, &l.err);
    if (l.result == 0)
        parallel_run(AT_ONCE, read_folders, &l);
    for (struct folder *f; (f = l.waiting);) {
        l.waiting = f->next;
        free(f);
    }
    pthread_cond_destroy(&l.changed);
    pthread_mutex_destroy(&l.lock);
    if (l.result == -FAULT_NO_OBJECT) /* nothing below a prefix, or no such store */
        return *folder ? 0 : err_set(e, -FAULT_NO_BUCKET, "http: the folder %s/ does not exist", l.store->base);
    if (l.result < 0 && e)
        *e = l.err;
    return l.result;
}
