/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring and its threads. `submitted`, `begun` and `released` are counters that only grow; a block's slot is its
 * number modulo the ring. The lock is held while a counter changes, never while a block is encoded. A thread is woken
 * only if one sleeps, the driver only for the block that it waits for. A driver that would have to wait encodes
 * instead: so as many threads as processors keep all of them busy.
 */
#include "codec/blocks.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/thread.h"

enum {
    SLOTS_EXTRA = 4,         /* one being filled, one being released, two for a thread that was preempted */
    STACK_SIZE = 256 * 1024, /* encoders keep their state on the heap */
    THREADS_MAX = 1024,
    BLOCK_MAX = 1 << 30
};

struct block_slot {
    unsigned char *raw;
    const void *data;     /* of the block in use: raw, or the caller's */
    unsigned char *frame; /* NULL: the raw block is the frame */
    size_t frame_size;
    size_t raw_size;
    ssize_t result; /* of encode */
    bool done;
};

struct encoder {
    struct blocks *blocks;
    void *state;
    pthread_t thread;
};

struct blocks {
    const struct codec_ops *ops;
    size_t block_size;
    struct block_slot *slot; /* a ring */
    unsigned slots;
    struct encoder *encoder;
    unsigned encoders,
        threads; /* encoders with a state; of these with a thread. The driver uses the first one without a thread. */

    uint64_t released; /* used by the driver only, as are raw and frame of a slot that no thread uses */

    pthread_mutex_t lock; /* for the fields below, and each slot's `done` */
    pthread_cond_t work, done;
    uint64_t submitted, begun;
    uint64_t awaited;  /* number of the block that the driver sleeps for; UINT64_MAX: it does not sleep */
    unsigned sleepers; /* threads waiting for work */
    unsigned busy;     /* threads that encode, without the driver */
    unsigned busy_max;
    bool stop;
};

static struct block_slot *block_slot_of(const struct blocks *b, uint64_t number)
{
    return &b->slot[number % b->slots];
}

/* Encodes the oldest waiting block. Called with the lock held; releases it meanwhile. */
static void encode_next(struct encoder *c)
{
    struct blocks *b = c->blocks;
    uint64_t number = b->begun++;
    struct block_slot *s = block_slot_of(b, number);

    pthread_mutex_unlock(&b->lock);
    s->result = b->ops->encode(c->state, s->data, s->raw_size, s->frame, s->frame_size);
    pthread_mutex_lock(&b->lock);
    s->done = true;
    if (b->awaited == number)
        pthread_cond_signal(&b->done);
}

static void *run(void *arg)
{
    struct encoder *c = arg;
    struct blocks *b = c->blocks;

    pthread_mutex_lock(&b->lock);
    while (!b->stop) {
        if (b->begun < b->submitted && b->busy < b->busy_max) {
            b->busy++;
            encode_next(c);
            b->busy--;
            continue;
        }
        b->sleepers++;
        pthread_cond_wait(&b->work, &b->lock);
        b->sleepers--;
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* Fewer threads than asked for are enough, only slower; without any, the driver encodes alone. */
static void start_threads(struct blocks *b, unsigned count)
{
    for (; b->threads < count; b->threads++) {
        struct encoder *c = &b->encoder[b->threads];

        if (thread_start(&c->thread, STACK_SIZE, run, c) < 0)
            return;
    }
}

static int make_slots(struct blocks *b, unsigned count, bool framed)
{
    size_t frame_size = framed ? b->ops->bound(b->block_size) : 0;

    if (!(b->slot = calloc(count, sizeof(*b->slot))))
        return -ENOMEM;
    b->slots = count;
    for (unsigned i = 0; i < count; i++) {
        struct block_slot *s = &b->slot[i];

        s->frame_size = frame_size;
        if (!(s->raw = malloc(b->block_size)) || (framed && !(s->frame = malloc(frame_size))))
            return -ENOMEM;
    }
    return 0;
}

static int make_encoders(struct blocks *b, unsigned count, int level)
{
    if (!(b->encoder = calloc(count, sizeof(*b->encoder))))
        return -ENOMEM;
    for (; b->encoders < count; b->encoders++) {
        struct encoder *c = &b->encoder[b->encoders];
        int r = b->ops->encoder_new(level, b->block_size, &c->state);

        if (r < 0)
            return r;
        c->blocks = b;
    }
    return 0;
}

static unsigned slots_needed(unsigned threads)
{
    return threads > 0 ? threads + SLOTS_EXTRA : 1;
}

/* Without compression there is no work for a thread. */
static unsigned threads_needed(const struct codec *c, unsigned threads)
{
    return c->ops == &CODEC_NONE ? 0 : threads;
}

/* The driver encodes, too: with one thread the driver only reads and hashes. */
static unsigned threads_beside_driver(unsigned threads)
{
    return threads > 1 ? threads - 1 : threads;
}

int blocks_new(const struct codec *c, unsigned threads, size_t block_size, struct blocks **ret)
{
    bool framed = c->ops != &CODEC_NONE;
    struct blocks *b;
    int r;

    threads = threads_needed(c, threads);
    if (block_size == 0 || block_size > BLOCK_MAX || threads > THREADS_MAX || (framed && threads == 0) ||
        c->level < c->ops->level_min || c->level > c->ops->level_max)
        return -EINVAL;
    if (!(b = calloc(1, sizeof(*b))))
        return -ENOMEM;
    b->ops = c->ops;
    b->block_size = block_size;
    b->awaited = UINT64_MAX;
    b->busy_max = threads;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->work, NULL);
    pthread_cond_init(&b->done, NULL);
    if ((r = make_slots(b, slots_needed(threads), framed)) < 0 ||
        (framed && (r = make_encoders(b, threads, c->level)) < 0)) {
        blocks_free(b);
        return r;
    }
    if (framed)
        start_threads(b, threads_beside_driver(threads));
    *ret = b;
    return 0;
}

void blocks_free(struct blocks *b)
{
    if (!b)
        return;
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_cond_broadcast(&b->work);
    pthread_mutex_unlock(&b->lock);
    for (unsigned i = 0; i < b->threads; i++)
        pthread_join(b->encoder[i].thread, NULL);
    for (unsigned i = 0; i < b->encoders; i++)
        b->ops->encoder_free(b->encoder[i].state);
    for (unsigned i = 0; i < b->slots; i++) {
        free(b->slot[i].raw);
        free(b->slot[i].frame);
    }
    pthread_cond_destroy(&b->done);
    pthread_cond_destroy(&b->work);
    pthread_mutex_destroy(&b->lock);
    free(b->encoder);
    free(b->slot);
    free(b);
}

/* Only the driver changes `submitted`, so it reads it without the lock. */
unsigned blocks_pending(const struct blocks *b)
{
    return (unsigned)(b->submitted - b->released);
}

void *blocks_slot(struct blocks *b)
{
    return blocks_pending(b) < b->slots ? block_slot_of(b, b->submitted)->raw : NULL;
}

void blocks_submit(struct blocks *b, size_t size)
{
    blocks_submit_at(b, block_slot_of(b, b->submitted)->raw, size);
}

void blocks_submit_at(struct blocks *b, const void *raw, size_t size)
{
    struct block_slot *s = block_slot_of(b, b->submitted);

    assert(size > 0 && size <= b->block_size && blocks_pending(b) < b->slots);
    s->data = raw;
    s->raw_size = size;
    s->result = (ssize_t)size;
    s->done = b->encoders == 0;
    pthread_mutex_lock(&b->lock);
    b->submitted++;
    if (b->sleepers > 0 && b->busy < b->busy_max)
        pthread_cond_signal(&b->work);
    pthread_mutex_unlock(&b->lock);
}

/* NULL if every encoder has a thread. */
static struct encoder *drivers_encoder(const struct blocks *b)
{
    return b->threads < b->encoders ? &b->encoder[b->threads] : NULL;
}

void blocks_limit(struct blocks *b, unsigned threads)
{
    unsigned driver = drivers_encoder(b) ? 1 : 0;

    assert(threads > 0);
    pthread_mutex_lock(&b->lock);
    b->busy_max = threads - driver;
    pthread_cond_broadcast(&b->work);
    pthread_mutex_unlock(&b->lock);
}

static bool is_done(struct blocks *b, const struct block_slot *s, bool wait)
{
    struct encoder *own = drivers_encoder(b);
    bool done;

    pthread_mutex_lock(&b->lock);
    b->awaited = b->released;
    while (wait && !s->done) {
        if (own && b->begun < b->submitted)
            encode_next(own);
        else
            pthread_cond_wait(&b->done, &b->lock);
    }
    b->awaited = UINT64_MAX;
    done = s->done;
    pthread_mutex_unlock(&b->lock);
    return done;
}

int blocks_next(struct blocks *b, bool wait, struct encoded *ret)
{
    const struct block_slot *s = block_slot_of(b, b->released);

    if (blocks_pending(b) == 0 || !is_done(b, s, wait))
        return 0;
    if (s->result < 0)
        return (int)s->result;
    *ret = (struct encoded){.data = s->frame ? s->frame : s->data, .size = (size_t)s->result, .raw_size = s->raw_size};
    return 1;
}

void blocks_release(struct blocks *b)
{
    assert(blocks_pending(b) > 0);
    b->released++;
}

size_t blocks_memory(const struct codec *c, unsigned threads, size_t block_size)
{
    bool framed = c->ops != &CODEC_NONE;
    size_t slot = block_size + (framed ? c->ops->bound(block_size) : 0);

    threads = threads_needed(c, threads);
    return slots_needed(threads) * slot + threads * c->ops->encoder_memory(c->level, block_size) +
           (size_t)threads_beside_driver(threads) * STACK_SIZE;
}
