/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread answers; others fetch runs of blocks: first what is waited for, then what streams will ask for next. An
 * analysis passes over the dump several times, so that the least recently used block would always be the next one
 * needed: blocks are evicted at random, and a cache that holds half of the dump saves half of the reads.
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

enum {
    FETCHERS = 3,
    STREAMS = 4,
    AHEAD = 64,  /* blocks that a stream is ahead, at most */
    RECENT = 32, /* blocks mapped last are not evicted */
    SPARE = 32,  /* slots that are kept free */
    STACK = 512 * 1024
};

#define NONE UINT32_MAX

enum state { ABSENT, FETCHING, READY /* not asked for yet */, MAPPED };

struct slot {
    uint32_t block;
    uint64_t mapped_at; /* the number of the question */
};

struct stream {
    uint64_t next, end; /* blocks to be read ahead */
};

struct block_server {
    const struct frame_source *source;
    int channel, memory;
    pthread_t answering, fetching[FETCHERS];
    unsigned fetchers;
    bool has_answering;

    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    unsigned char *state; /* enum state, of each block */
    uint32_t *slot_of;
    struct slot *slot;
    uint32_t *free;
    uint32_t slots, free_count;
    uint32_t evicted[BLOCK_EVICTED_MAX]; /* slots that are free once the next question comes */
    uint32_t evicted_count;
    struct stream stream[STREAMS];
    unsigned next_stream;
    uint64_t urgent; /* a block that is waited for; UINT64_MAX */
    uint64_t questions, furthest;
    uint64_t random;
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

/* With the lock held: */

static uint32_t take_slot(struct block_server *b, uint64_t block)
{
    uint32_t slot = b->free[--b->free_count];

    b->slot[slot] = (struct slot){.block = (uint32_t)block};
    b->slot_of[block] = slot;
    b->state[block] = FETCHING;
    return slot;
}

static void give_slot(struct block_server *b, uint32_t slot)
{
    b->state[b->slot[slot].block] = ABSENT;
    b->slot[slot].block = NONE;
    b->free[b->free_count++] = slot;
}

/* A block that was read ahead gives way to one that is waited for. */
static bool drop_ready(struct block_server *b)
{
    for (uint32_t i = b->slots; i > 0; i--)
        if (b->slot[i - 1].block != NONE && b->state[b->slot[i - 1].block] == READY) {
            give_slot(b, i - 1);
            return true;
        }
    return false;
}

static unsigned absent_from(const struct block_server *b, uint64_t first, uint64_t end, unsigned most)
{
    unsigned count = 0;

    while (count < most && count < b->free_count && first + count < end && b->state[first + count] == ABSENT)
        count++;
    return count;
}

/* What is to be fetched next, its slots taken. False: nothing. */
static bool choose(struct block_server *b, struct block_run *run)
{
    run->count = 0;
    if (b->urgent != UINT64_MAX && b->state[b->urgent] == ABSENT && (b->free_count > 0 || drop_ready(b))) {
        run->first = b->urgent;
        run->count = absent_from(b, run->first, b->source->blocks, 4);
    }
    for (unsigned i = 0; run->count == 0 && i < STREAMS; i++) {
        struct stream *s = &b->stream[i];

        while (s->next < s->end && b->state[s->next] != ABSENT)
            s->next++;
        run->first = s->next;
        run->count = absent_from(b, s->next, s->end, BLOCK_RUN_MAX);
    }
    for (unsigned i = 0; i < run->count; i++)
        take_slot(b, run->first + i);
    return run->count > 0;
}

/* Where the question stands in a stream: the blocks behind it are read ahead. */
static void advance(struct block_server *b, uint64_t block)
{
    uint64_t ahead = b->slots / 4 < AHEAD ? b->slots / 4 : AHEAD, end = block + 1 + ahead;
    struct stream *s = NULL;

    if (end > b->source->blocks)
        end = b->source->blocks;
    for (unsigned i = 0; i < STREAMS; i++)
        if (block + ahead + 1 >= b->stream[i].end && block < b->stream[i].end)
            s = &b->stream[i];
    if (!s && block > 0 && b->state[block - 1] != MAPPED)
        return;
    if (!s)
        s = &b->stream[b->next_stream++ % STREAMS];
    if (s->next <= block)
        s->next = block + 1;
    if (s->end < end || s->next > end)
        *s = (struct stream){block + 1, end};
}

static uint64_t random_number(struct block_server *b)
{
    b->random = b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's MMIX */
    return b->random >> 33;
}

static void unmap_slot(struct block_server *b, uint32_t slot, struct block_answer *to)
{
    uint32_t block = b->slot[slot].block;

    b->state[block] = ABSENT;
    b->slot[slot].block = NONE;
    to->evicted[b->evicted_count] = block;
    b->evicted[b->evicted_count++] = slot;
}

static bool is_ahead(const struct block_server *b, uint64_t block)
{
    for (unsigned i = 0; i < STREAMS; i++)
        if (block < b->stream[i].end && block + AHEAD >= b->stream[i].end)
            return true;
    return false;
}

/* Chooses mapped blocks to be unmapped by the other process. What was read ahead for a stream that went elsewhere is
 * free at once. */
static void evict(struct block_server *b, struct block_answer *to)
{
    for (unsigned tries = 0; tries < 8 * BLOCK_EVICTED_MAX && b->evicted_count < BLOCK_EVICTED_MAX &&
                             b->free_count + b->evicted_count < SPARE;
         tries++) {
        uint32_t slot = (uint32_t)(random_number(b) % b->slots), block = b->slot[slot].block;

        if (block != NONE && b->state[block] == READY && !is_ahead(b, block))
            give_slot(b, slot);
        else if (block == NONE || b->state[block] != MAPPED || b->slot[slot].mapped_at + RECENT > b->questions)
            continue;
        else
            unmap_slot(b, slot, to);
    }
    to->evicted_count = b->evicted_count;
}

static void release_evicted(struct block_server *b)
{
    for (uint32_t i = 0; i < b->evicted_count; i++)
        b->free[b->free_count++] = b->evicted[i];
    b->evicted_count = 0;
}

/* Waits for the block. False: it is over. */
static bool answer(struct block_server *b, uint64_t block, struct block_answer *ret)
{
    bool ready;

    pthread_mutex_lock(&b->lock);
    b->questions++;
    release_evicted(b);
    if (block * b->source->geometry.block_bytes > b->furthest)
        b->furthest = block * b->source->geometry.block_bytes;
    advance(b, block);
    b->urgent = block;
    pthread_cond_broadcast(&b->changed);
    while (!b->stop && b->state[block] != READY && b->state[block] != MAPPED)
        pthread_cond_wait(&b->changed, &b->lock);
    b->urgent = UINT64_MAX;
    if ((ready = !b->stop)) {
        *ret = (struct block_answer){.slot = b->slot_of[block]};
        b->state[block] = MAPPED;
        b->slot[ret->slot].mapped_at = b->questions;
        evict(b, ret);
    }
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
    off_t at = (off_t)(b->slot_of[block] * b->source->geometry.block_bytes);

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
    b->state[block] = READY;
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
        while (!b->stop && !choose(b, &run))
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
    free(b->state);
    free(b->slot_of);
    free(b->slot);
    free(b->free);
    free(b);
}

static int allocate(struct block_server *b, uint64_t cache_bytes)
{
    uint64_t block = b->source->geometry.block_bytes, blocks = b->source->blocks;

    if (cache_bytes < BLOCK_CACHE_LEAST)
        cache_bytes = BLOCK_CACHE_LEAST;
    b->slots = (uint32_t)(cache_bytes / block < blocks + SPARE ? cache_bytes / block : blocks + SPARE);
    if (b->slots < 2 * SPARE)
        b->slots = 2 * SPARE; /* blocks of 8 MiB: half a GiB of addresses, used as needed */
    b->state = calloc(blocks, sizeof(*b->state));
    b->slot_of = calloc(blocks, sizeof(*b->slot_of));
    b->slot = calloc(b->slots, sizeof(*b->slot));
    b->free = calloc(b->slots, sizeof(*b->free));
    if (!b->state || !b->slot_of || !b->slot || !b->free)
        return -ENOMEM;
    for (uint32_t i = 0; i < b->slots; i++) {
        b->slot[i].block = NONE;
        b->free[b->free_count++] = b->slots - 1 - i;
    }
    return 0;
}

/* Neither end can change the size of the memory. */
static int make_memory(struct block_server *b, struct err *e)
{
    b->memory = memfd_create("salvage-blocks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (b->memory < 0 || ftruncate(b->memory, (off_t)(b->slots * b->source->geometry.block_bytes)) < 0)
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
    *b = (struct block_server){.source = source, .channel = -1, .memory = -1, .urgent = UINT64_MAX};
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    if ((r = allocate(b, cache_bytes)) < 0)
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
