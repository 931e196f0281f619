/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread answers; others fetch runs of blocks.
 */
#include "inspect/block_server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "inspect/block_cache.h"

enum { FETCHERS = 3, STACK = 512 * 1024 };

struct block_server {
    const struct frame_source *source;
    int channel, memory;
    pthread_t answering, fetching[FETCHERS];
    unsigned fetchers;
    bool has_answering;

    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    struct block_cache cache;
    uint64_t furthest;
    bool stop;
    int result;
    struct err err;
};

static void fail(struct block_server *b, int r, const struct err *e)
{
    pthread_mutex_lock(&b->lock);
    if (b->result == 0) {
        b->result = r;
        b->err = *e;
    }
    b->stop = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    shutdown(b->channel, SHUT_RDWR);
}

/* Waits for the block. False: it is over. */
static bool answer(struct block_server *b, uint64_t block, struct block_answer *ret)
{
    bool ready;

    pthread_mutex_lock(&b->lock);
    if (block * b->source->geometry.block_bytes > b->furthest)
        b->furthest = block * b->source->geometry.block_bytes;
    block_cache_ask(&b->cache, block);
    pthread_cond_broadcast(&b->changed);
    while (!b->stop && !block_cache_has(&b->cache, block))
        pthread_cond_wait(&b->changed, &b->lock);
    if ((ready = !b->stop))
        block_cache_map(&b->cache, block, ret);
    pthread_mutex_unlock(&b->lock);
    return ready;
}

/* The threads: */

static void *answer_all(void *ctx)
{
    struct block_server *b = ctx;
    struct block_question question;
    struct block_answer found;

    for (;;) {
        ssize_t n = recv(b->channel, &question, sizeof(question), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n != (ssize_t)sizeof(question) || question.block >= b->source->blocks || !answer(b, question.block, &found))
            break;
        if (send(b->channel, &found, sizeof(found), MSG_NOSIGNAL) != (ssize_t)sizeof(found))
            break;
    }
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static int take_block(void *ctx, uint64_t block, const void *data, size_t size)
{
    struct block_server *b = ctx;
    off_t at = (off_t)(b->cache.slot_of[block] * b->source->geometry.block_bytes);

    while (size > 0) {
        ssize_t n = pwrite(b->memory, data, size, at);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data = (const char *)data + n;
            size -= (size_t)n;
            at += n;
        }
    }
    pthread_mutex_lock(&b->lock);
    block_cache_fetched(&b->cache, block);
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    return 0;
}

static void *fetch_all(void *ctx)
{
    struct block_server *b = ctx;
    struct frame_reader *reader = NULL;
    struct block_run run = {.take = take_block, .ctx = b};
    struct err e = {0};
    int r = frame_reader_new(b->source, &reader, &e);

    while (r == 0) {
        pthread_mutex_lock(&b->lock);
        while (!b->stop && !block_cache_choose(&b->cache, &run))
            pthread_cond_wait(&b->changed, &b->lock);
        if (b->stop)
            r = 1;
        pthread_mutex_unlock(&b->lock);
        if (r == 0)
            r = frame_reader_read(reader, &run, &e);
    }
    if (r < 0)
        fail(b, r, &e);
    frame_reader_free(reader);
    return NULL;
}

static void server_free(struct block_server *b)
{
    if (b->channel >= 0)
        close(b->channel);
    if (b->memory >= 0)
        close(b->memory);
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->changed);
    block_cache_done(&b->cache);
    free(b);
}

/* Neither end can change the size of the memory. */
static int make_memory(struct block_server *b, struct err *e)
{
    b->memory = memfd_create("salvage-blocks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (b->memory < 0 || ftruncate(b->memory, (off_t)(b->cache.slots * b->source->geometry.block_bytes)) < 0)
        return err_set(e, -errno, "no shared memory: %s", strerror(errno));
    if (fcntl(b->memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
        return err_set(e, -errno, "the shared memory can't be sealed: %s", strerror(errno));
    return 0;
}

static int start_threads(struct block_server *b, struct err *e)
{
    int r = thread_start(&b->answering, STACK, answer_all, b);

    b->has_answering = r == 0;
    for (unsigned i = 0; r == 0 && i < FETCHERS; i++) {
        r = thread_start(&b->fetching[i], STACK, fetch_all, b);
        b->fetchers += r == 0;
        if (r < 0 && i > 0)
            break; /* fewer do */
    }
    return b->fetchers > 0 ? 0 : err_set(e, r, "cannot start a thread: %s", strerror(-r));
}

int block_server_start(const struct frame_source *source, uint64_t cache_bytes, struct block_server **ret,
                       int ret_fds[2], struct err *e)
{
    struct block_server *b = calloc(1, sizeof(*b));
    int pair[2] = {-1, -1}, copy = -1, r;

    assert(source && source->blocks > 0 && ret && ret_fds);
    if (!b)
        return err_set(e, -ENOMEM, "out of memory");
    *b = (struct block_server){.source = source, .channel = -1, .memory = -1};
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    if (cache_bytes < BLOCK_CACHE_LEAST)
        cache_bytes = BLOCK_CACHE_LEAST;
    if ((r = block_cache_init(&b->cache, source->blocks, cache_bytes / source->geometry.block_bytes)) < 0)
        err_set(e, r, "out of memory");
    else if ((r = make_memory(b, e)) == 0 && (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
                                              (copy = fcntl(b->memory, F_DUPFD_CLOEXEC, 0)) < 0))
        r = err_set(e, -errno, "no descriptor: %s", strerror(errno));
    b->channel = pair[0];
    if (r == 0 && send(b->channel, &source->geometry, sizeof(source->geometry), MSG_NOSIGNAL) < 0)
        r = err_set(e, -errno, "cannot send: %s", strerror(errno));
    if (r == 0)
        r = start_threads(b, e);
    if (r < 0) {
        block_server_end(b, NULL);
        mem_close_ptr(&pair[1]);
        mem_close_ptr(&copy);
        return r;
    }
    ret_fds[0] = pair[1];
    ret_fds[1] = copy;
    *ret = b;
    return 0;
}

uint64_t block_server_progress(struct block_server *b)
{
    uint64_t furthest;

    pthread_mutex_lock(&b->lock);
    furthest = b->furthest;
    pthread_mutex_unlock(&b->lock);
    return furthest;
}

int block_server_end(struct block_server *b, struct err *e)
{
    int r;

    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    if (b->channel >= 0)
        shutdown(b->channel, SHUT_RDWR);
    if (b->has_answering)
        pthread_join(b->answering, NULL);
    for (unsigned i = 0; i < b->fetchers; i++)
        pthread_join(b->fetching[i], NULL);
    r = b->result;
    if (r < 0 && e)
        *e = b->err;
    server_free(b);
    return r;
}
