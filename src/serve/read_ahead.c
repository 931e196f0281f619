/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of blocks; `filled` and `emptied` count them and only grow.
 */
#include "serve/read_ahead.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"

enum { STACK_BYTES = 128 * 1024 };

struct block {
    ssize_t result; /* of source */
    unsigned char data[READ_AHEAD_BLOCK];
};

struct read_ahead {
    ssize_t (*source)(void *ctx, void *data, size_t size);
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock; /* for the following */
    pthread_cond_t changed;
    uint64_t filled, emptied;
    bool stop;
    size_t at; /* in the block that is being emptied; the consumer's alone */
    struct block block[READ_AHEAD_BLOCKS];
};

/* Waits for an empty block; NULL: it is over. */
static struct block *next_empty(struct read_ahead *a)
{
    struct block *b;

    pthread_mutex_lock(&a->lock);
    while (!a->stop && a->filled - a->emptied == READ_AHEAD_BLOCKS)
        pthread_cond_wait(&a->changed, &a->lock);
    b = a->stop ? NULL : &a->block[a->filled % READ_AHEAD_BLOCKS];
    pthread_mutex_unlock(&a->lock);
    return b;
}

static void *run(void *ctx)
{
    struct read_ahead *a = ctx;
    struct block *b;
    bool more = true;

    while (more && (b = next_empty(a))) {
        b->result = a->source(a->ctx, b->data, sizeof(b->data));
        more = b->result > 0;
        pthread_mutex_lock(&a->lock);
        a->filled++;
        pthread_cond_signal(&a->changed);
        pthread_mutex_unlock(&a->lock);
    }
    return NULL;
}

int read_ahead_new(ssize_t (*source)(void *ctx, void *data, size_t size), void *ctx, struct read_ahead **ret)
{
    CLEANUP_FREE struct read_ahead *a = malloc(sizeof(*a)); /* blocks are touched when they are needed */
    int r;

    assert(source && ret);
    if (!a)
        return -ENOMEM;
    a->source = source;
    a->ctx = ctx;
    a->filled = a->emptied = 0;
    a->stop = false;
    a->at = 0;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    if ((r = thread_start(&a->thread, STACK_BYTES, run, a)) < 0)
        return r;
    *ret = TAKE_PTR(a);
    return 0;
}

/* The oldest block, once it is filled. */
static const struct block *next_filled(struct read_ahead *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->filled == a->emptied)
        pthread_cond_wait(&a->changed, &a->lock);
    pthread_mutex_unlock(&a->lock);
    return &a->block[a->emptied % READ_AHEAD_BLOCKS];
}

ssize_t read_ahead_read(struct read_ahead *a, void *data, size_t size)
{
    const struct block *b = next_filled(a);

    if (b->result <= 0)
        return b->result; /* stays the oldest: the thread has ended */
    if (size > (size_t)b->result - a->at)
        size = (size_t)b->result - a->at;
    memcpy(data, b->data + a->at, size);
    a->at += size;
    if (a->at == (size_t)b->result) {
        a->at = 0;
        pthread_mutex_lock(&a->lock);
        a->emptied++;
        pthread_cond_signal(&a->changed);
        pthread_mutex_unlock(&a->lock);
    }
    return (ssize_t)size;
}

void read_ahead_free(struct read_ahead *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
