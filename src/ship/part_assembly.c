/* SPDX-License-Identifier: Apache-2.0
 *
 * The sink's threads call part_done and upload_token only. One lock guards which buffers are free, another the journal:
 * writing a line waits for the disk, and the job must not.
 */
#include "ship/part_assembly.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/upload_pool.h"

struct filling {
    struct part part;            /* first: the sink returns it by this address */
    struct journal_part journal; /* its line, written when the part is confirmed */
    bool in_use;
};

struct part_assembly {
    struct part_assembly_config config;
    struct checkpoint *checkpoint;
    struct filling *buffer; /* config.buffers of them */
    struct filling *current;
    unsigned next_number;
    uint64_t stored, raw; /* bytes so far */
    struct digest raw_digest;
    struct frames frames; /* all */

    /* Used by the sender's thread while it runs. */
    struct upload_pool *sender; /* one thread: parts are digested and handed over in order */
    const struct sink_ops *ops;
    struct upload *upload;
    struct digest digest; /* of the object */
    int result;           /* the first failure; other threads read it once the sender has stopped or is drained */
    struct err error;

    pthread_mutex_t lock; /* each buffer's in_use */
    pthread_cond_t returned;

    pthread_mutex_t journal_lock; /* for checkpoint and the two fields below */
    uint64_t confirmed;           /* file bytes, of confirmed parts (in whatever order) */
    struct part_assembly_listener listener;
};

static void send(void *ctx, void **own, struct part *part);

static const struct upload_pool_ops SENDER = {.work = send};

int part_assembly_new(const struct part_assembly_config *c, struct checkpoint *checkpoint, struct part_assembly **ret)
{
    assert(checkpoint && c->buffers > 0 && c->part_size > 0 && c->parts_max > 0);
    struct part_assembly *g = calloc(1, sizeof(*g));

    if (!g)
        return -ENOMEM;
    g->config = *c;
    g->checkpoint = checkpoint;
    g->next_number = 1;
    digest_init(&g->digest);
    digest_init(&g->raw_digest);
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->journal_lock, NULL);
    pthread_cond_init(&g->returned, NULL);
    g->buffer = calloc(c->buffers, sizeof(*g->buffer));
    for (unsigned i = 0; g->buffer && i < c->buffers; i++)
        if (!(g->buffer[i].part.data = malloc(c->part_size + c->slack))) {
            part_assembly_free(g);
            return -ENOMEM;
        }
    if (!g->buffer || upload_pool_new(1, &SENDER, g, &g->sender) < 0) {
        part_assembly_free(g);
        return -ENOMEM;
    }
    *ret = g;
    return 0;
}

void part_assembly_free(struct part_assembly *g)
{
    if (!g)
        return;
    part_assembly_stop(g);
    for (unsigned i = 0; g->buffer && i < g->config.buffers; i++) {
        free(g->buffer[i].part.data);
        journal_part_done(&g->buffer[i].journal);
    }
    free(g->buffer);
    frames_done(&g->frames);
    pthread_cond_destroy(&g->returned);
    pthread_mutex_destroy(&g->lock);
    pthread_mutex_destroy(&g->journal_lock);
    free(g);
}

void part_assembly_start(struct part_assembly *g, const struct sink_ops *ops, struct upload *u)
{
    assert(ops && u && !g->upload && !g->current);
    g->ops = ops;
    g->upload = u;
}

void part_assembly_stop(struct part_assembly *g)
{
    if (!g)
        return;
    upload_pool_free(g->sender); /* its thread reads g->sender until it ends */
    g->sender = NULL;
}

static void return_buffer(struct part_assembly *g, struct filling *f)
{
    journal_part_done(&f->journal);
    pthread_mutex_lock(&g->lock);
    f->in_use = false;
    pthread_cond_signal(&g->returned);
    pthread_mutex_unlock(&g->lock);
}

static void part_done(void *ctx, struct part *part, const char *etag)
{
    struct part_assembly *g = ctx;
    struct filling *f = (struct filling *)part;

    if (etag) {
        uint64_t raw = 0;

        for (size_t i = 0; i < f->journal.frames.count; i++)
            raw += f->journal.frames.frame[i].raw;
        snprintf(f->journal.etag, sizeof(f->journal.etag), "%s", etag);
        pthread_mutex_lock(&g->journal_lock);
        /* The last part is no use for a resume: it ends with the table of frames of this run. */
        if (!part->last)
            checkpoint_part(g->checkpoint, &f->journal);
        g->confirmed += raw;
        if (g->listener.confirmed)
            g->listener.confirmed(g->listener.ctx, g->confirmed);
        pthread_mutex_unlock(&g->journal_lock);
    }
    return_buffer(g, f);
}

static void upload_token(void *ctx, const char *token)
{
    struct part_assembly *g = ctx;

    pthread_mutex_lock(&g->journal_lock);
    checkpoint_token(g->checkpoint, token);
    pthread_mutex_unlock(&g->journal_lock);
}

static void upload_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    struct part_assembly *g = ctx;

    if (g->listener.waiting)
        g->listener.waiting(g->listener.ctx, e, delay_ms);
}

struct upload_events part_assembly_events(struct part_assembly *g, const struct part_assembly_listener *listener)
{
    g->listener = *listener;
    return (struct upload_events){.ctx = g, .token = upload_token, .done = part_done, .waiting = upload_waiting};
}

int part_assembly_resume(struct part_assembly *g, const struct journal *j)
{
    const struct journal_part *last = &j->parts[j->count - 1];
    int r = 0;

    assert(j->count > 0 && !g->current);
    for (size_t i = 0; r == 0 && i < j->count; i++)
        for (size_t k = 0; r == 0 && k < j->parts[i].frames.count; k++)
            r = frames_add(&g->frames, j->parts[i].frames.frame[k].stored, j->parts[i].frames.frame[k].raw);
    if (r == 0 && digest_load(&g->digest, last->stored_digest) == 0 &&
        digest_load(&g->raw_digest, last->raw_digest) == 0) {
        g->stored = last->stored_end;
        g->raw = g->confirmed = last->raw_end;
        g->next_number = (unsigned)j->count + 1;
        return 0;
    }
    return r < 0 ? r : -EBADMSG;
}

/* A free buffer. Waiting ends: the sink returns the buffer of every part. */
static struct filling *take_buffer(struct part_assembly *g)
{
    struct filling *found = NULL;

    pthread_mutex_lock(&g->lock);
    for (;;) {
        for (unsigned i = 0; !found && i < g->config.buffers; i++)
            if (!g->buffer[i].in_use)
                found = &g->buffer[i];
        if (found)
            break;
        pthread_cond_wait(&g->returned, &g->lock);
    }
    found->in_use = true;
    pthread_mutex_unlock(&g->lock);
    found->part.size = 0;
    found->journal = (struct journal_part){0};
    return found;
}

/* On the sender's thread. */
static void send(void *ctx, void **own, struct part *part)
{
    struct part_assembly *g = ctx;
    struct filling *f = (struct filling *)part;

    (void)own;
    if (upload_pool_stopped(g->sender)) {
        return_buffer(g, f);
        return;
    }
    if (!g->config.plain) {
        digest_update(&g->digest, part->data, part->size);
        digest_save(&g->digest, f->journal.stored_digest);
    }
    if ((g->result = g->ops->write(g->upload, part, &g->error)) < 0)
        upload_pool_stop(g->sender);
}

static int failed(const struct part_assembly *g, int r, struct err *e)
{
    if (r != -ECANCELED)
        return err_set(e, r, "cannot start a thread: %s", strerror(-r));
    upload_pool_drain(g->sender);
    *e = g->error;
    return g->result;
}

static int send_part(struct part_assembly *g, bool last, struct err *e)
{
    struct filling *f = TAKE_PTR(g->current);
    int r;

    if (g->next_number > g->config.parts_max) {
        return_buffer(g, f);
        return err_set(e, -FAULT_USAGE,
                       "the object needs more than the store's %u parts: raise --memory (larger parts)",
                       g->config.parts_max);
    }
    f->part.number = f->journal.number = g->next_number++;
    f->part.last = last;
    f->journal.size = f->part.size;
    f->journal.stored_end = g->stored;
    f->journal.raw_end = g->raw;
    digest_save(&g->raw_digest, f->journal.raw_digest);
    if (g->config.plain)
        digest_save(&g->raw_digest, f->journal.stored_digest);
    if ((r = upload_pool_put(g->sender, &f->part)) == 0)
        return 0;
    return_buffer(g, f);
    return failed(g, r, e);
}

static void fill(struct part_assembly *g, const void *data, size_t size)
{
    memcpy(g->current->part.data + g->current->part.size, data, size);
    g->current->part.size += size;
    g->stored += size;
}

int part_assembly_add(struct part_assembly *g, const struct encoded *frame, const struct digest *raw, struct err *e)
{
    uint32_t size = (uint32_t)frame->size, raw_size = (uint32_t)frame->raw_size;
    int r;

    assert(g->upload && frame->size <= g->config.slack);
    if (!g->current)
        g->current = take_buffer(g);
    /* A full part is sent when the next one begins: only then is it known not to be the last. */
    if (g->current->part.size >= g->config.part_size) {
        if ((r = send_part(g, false, e)) < 0)
            return r;
        g->current = take_buffer(g);
    }
    if (frames_add(&g->current->journal.frames, size, raw_size) < 0 || frames_add(&g->frames, size, raw_size) < 0)
        return err_set(e, -ENOMEM, "out of memory for the table of frames");
    fill(g, frame->data, frame->size);
    g->raw += raw_size;
    g->raw_digest = *raw;
    return 0;
}

/* The table can be larger than a part: it is cut into parts as well. */
static int add_table(struct part_assembly *g, struct err *e)
{
    size_t size = seektable_size(&g->frames);
    CLEANUP_FREE unsigned char *table = malloc(size);
    int r;

    if (!table)
        return err_set(e, -ENOMEM, "out of memory for the table of frames");
    seektable_encode(&g->frames, table);
    for (size_t at = 0; at < size;) {
        size_t room = g->config.part_size + g->config.slack - g->current->part.size;
        size_t n = size - at < room ? size - at : room;

        fill(g, table + at, n);
        at += n;
        if (at < size) {
            if ((r = send_part(g, false, e)) < 0)
                return r;
            g->current = take_buffer(g);
        }
    }
    return 0;
}

int part_assembly_finish(struct part_assembly *g, bool seekable, struct err *e)
{
    int r;

    assert(g->upload);
    if (!g->current)
        g->current = take_buffer(g);
    if (seekable && (r = add_table(g, e)) < 0)
        return r;
    if ((r = send_part(g, true, e)) < 0)
        return r;
    upload_pool_drain(g->sender);
    return upload_pool_stopped(g->sender) ? failed(g, -ECANCELED, e) : 0;
}

void part_assembly_whole(const struct part_assembly *g, struct whole *ret)
{
    ret->size = g->stored;
    digest_hex(g->config.plain ? &g->raw_digest : &g->digest, ret->sha256);
}

void part_assembly_seal(struct part_assembly *g, const struct journal_head *head)
{
    pthread_mutex_lock(&g->journal_lock);
    checkpoint_seal(g->checkpoint, head);
    pthread_mutex_unlock(&g->journal_lock);
}
