/* SPDX-License-Identifier: Apache-2.0
 *
 * Sequential reading. The differences between files, growing files and streams are in one table of functions.
 */
#include "ship/intake.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { STREAM_PIPE_SIZE = 1024 * 1024 };

static int read_failed(const struct intake *in, int r, struct err *e)
{
    return err_set(e, r, "cannot read %s: %s", in->path, strerror(-r));
}

/* What differs from source to source. */
struct source_ops {
    int (*begin)(struct intake *in);
    int (*read_head)(struct intake *in); /* fills head; -EAGAIN */
    /* As intake_read, without digest and offset. */
    ssize_t (*fill)(struct intake *in, unsigned char *block, struct err *e);
    int (*verify)(const struct intake *in, struct err *e); /* NULL: can't be read a second time */
};

/* A dump whose lengths are filled in later is not written from front to back: this block is read after its end. */
static bool written_out_of_order(struct intake *in, const void *block, size_t size)
{
    struct hprof ahead = in->hprof;

    if (!in->is_hprof)
        return false;
    hprof_feed(&ahead, block, size);
    return ahead.unpatched || ahead.state == HPROF_BROKEN;
}

/* --- files -----------------------------------------------------------------------------------------------------------
 */

static int begin_file(struct intake *in)
{
    posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return identity_get(in->fd, in->machine, &in->identity);
}

static int read_file_head(struct intake *in)
{
    ssize_t n = file_pread(in->fd, in->head, sizeof(in->head), 0);

    if (n < 0)
        return (int)n;
    in->head_size = (size_t)n;
    return 0;
}

/* Whether all of [offset, offset + size) is a hole. One pair of calls for each hole and each run of data. A file that
 * is written to meanwhile is noticed at the end (verify_file). */
static bool is_hole(struct intake *in, uint64_t size)
{
    off_t at;

    if (in->identity.disk >= in->identity.size)
        return false;
    if (in->offset >= in->data_to) {
        at = lseek(in->fd, (off_t)in->offset, SEEK_DATA);
        if (at < 0 && errno != ENXIO) {
            in->data_to = UINT64_MAX; /* not supported here: all is read */
            return false;
        }
        in->hole_from = in->offset;
        in->data_from = at < 0 ? in->identity.size : (uint64_t)at;
        at = at < 0 ? -1 : lseek(in->fd, at, SEEK_HOLE);
        in->data_to = at < 0 ? in->identity.size : (uint64_t)at;
    }
    return in->offset >= in->hole_from && in->offset + size <= in->data_from;
}

/* Zeros, without reading them from the file system. */
static ssize_t fill_from_hole(const struct intake *in, unsigned char *block)
{
    uint64_t left = in->identity.size - in->offset;
    size_t n = left < in->block_size ? (size_t)left : in->block_size;

    memset(block, 0, n);
    return (ssize_t)n;
}

static ssize_t fill_from_file(struct intake *in, unsigned char *block, struct err *e)
{
    uint64_t left = in->offset < in->identity.size ? in->identity.size - in->offset : 0;
    ssize_t n;

    if (left > 0 && is_hole(in, left < in->block_size ? left : in->block_size))
        return fill_from_hole(in, block);
    n = file_pread(in->fd, block, in->block_size, in->offset);

    if (n < 0)
        return read_failed(in, (int)n, e);
    if (in->offset + (uint64_t)n < in->identity.size && (size_t)n < in->block_size)
        return err_set(e, -FAULT_CHANGED, "%s became shorter while it was shipped", in->path);
    if (in->offset + (uint64_t)n > in->identity.size)
        return err_set(e, -FAULT_CHANGED, "%s grows again while it is shipped", in->path);
    return n;
}

static ssize_t fill_from_growing(struct intake *in, unsigned char *block, struct err *e)
{
    ssize_t n = file_pread(in->fd, block, in->block_size, in->offset);

    if (n < 0)
        return read_failed(in, (int)n, e);
    if ((size_t)n < in->block_size || written_out_of_order(in, block, (size_t)n))
        return -EAGAIN;
    return recheck_add(&in->recheck, block) < 0 ? err_set(e, -ENOMEM, "out of memory") : n;
}

static int verify_file(const struct intake *in, struct err *e)
{
    struct identity now;
    int r = identity_get(in->fd, in->machine, &now);

    if (r < 0)
        return read_failed(in, r, e);
    if (!identity_unchanged(&in->identity, &now) || in->offset != now.size)
        return err_set(e, -FAULT_CHANGED, "%s was written to while it was shipped", in->path);
    return 0;
}

/* --- streams ---------------------------------------------------------------------------------------------------------
 */

static int begin_stream(struct intake *in)
{
    /* Fewer switches between the writer and us; best effort. */
    fcntl(in->fd, F_SETPIPE_SZ, STREAM_PIPE_SIZE);
    in->heard_ms = clock_mono_ms();
    /* Without a buffer it is slower. */
    if (in->buffer_size && stream_buffer_new(in->fd, in->block_size, in->buffer_size, &in->buffer) < 0)
        in->buffer = NULL;
    return 0;
}

/* Reads what is available. poll(2) first, for two reasons: other processes share the descriptor's O_NONBLOCK, and
 * read(2) on a FIFO without a writer so far returns 0, as after the writer's end, while poll(2) tells them apart
 * (fs/pipe.c, pipe_poll). */
static ssize_t read_now(struct intake *in, unsigned char *to, size_t size)
{
    struct pollfd poll_in = {.fd = in->fd, .events = POLLIN};
    ssize_t n;

    if (poll(&poll_in, 1, 0) <= 0)
        return -EAGAIN;
    n = read(in->fd, to, size);
    if (n < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    if (n > 0)
        in->heard_ms = clock_mono_ms();
    in->ended = n == 0;
    return n;
}

static ssize_t read_available(struct intake *in, unsigned char *to, size_t *have, size_t wanted)
{
    while (*have < wanted && !in->ended) {
        ssize_t n = read_now(in, to + *have, wanted - *have);

        if (n < 0)
            return n;
        *have += (size_t)n;
    }
    return 0;
}

static int peek_head(struct intake *in)
{
    const void *block;
    ssize_t n = stream_buffer_peek(in->buffer, &block);

    if (n < 0)
        return (int)n;
    in->head_size = (size_t)n < sizeof(in->head) ? (size_t)n : sizeof(in->head);
    if (n > 0)
        memcpy(in->head, block, in->head_size);
    return 0;
}

static int read_stream_head(struct intake *in)
{
    if (in->buffer)
        return peek_head(in);
    return (int)read_available(in, in->head, &in->head_size, sizeof(in->head));
}

static void count_stream(struct intake *in, ssize_t n)
{
    in->identity.size += (uint64_t)n;
    in->identity.mtime_ns = clock_wall_ns();
}

static ssize_t fill_from_stream(struct intake *in, unsigned char *block, struct err *e)
{
    ssize_t n;

    assert(!in->buffer);
    if (in->offset == 0 && in->filled == 0) {
        memcpy(block, in->head, in->head_size);
        in->filled = in->head_size;
    }
    n = read_available(in, block, &in->filled, in->block_size);
    if (n < 0)
        return n == -EAGAIN ? n : read_failed(in, (int)n, e);
    n = (ssize_t)in->filled;
    in->filled = 0;
    count_stream(in, n);
    return n;
}

static const struct source_ops SOURCES[] = {
    [INTAKE_FILE] = {begin_file, read_file_head, fill_from_file, verify_file},
    [INTAKE_GROWING] = {begin_file, read_file_head, fill_from_growing, verify_file},
    [INTAKE_STREAM] = {begin_stream, read_stream_head, fill_from_stream, NULL},
};

/* --- whatever the source ---------------------------------------------------------------------------------------------
 */

int intake_init(struct intake *in, const struct intake_config *config, struct err *e)
{
    int r;

    assert(config->buffer == 0 || config->source == INTAKE_STREAM);
    assert(config->fd >= 0 && config->machine && config->path && config->block_size >= INTAKE_HEAD_MAX);
    *in = (struct intake){.fd = config->fd,
                          .machine = config->machine,
                          .path = config->path,
                          .source = config->source,
                          .block_size = config->block_size,
                          .buffer_size = config->buffer,
                          .recheck = {.block_size = config->block_size}};
    hprof_init(&in->hprof);
    digest_init(&in->digest);
    r = SOURCES[in->source].begin(in);
    return r < 0 ? read_failed(in, r, e) : 0;
}

void intake_done(struct intake *in)
{
    stream_buffer_free(in->buffer);
    in->buffer = NULL;
    recheck_done(&in->recheck);
    wholeness_done(&in->whole);
}

int intake_read_head(struct intake *in, struct err *e)
{
    int r = SOURCES[in->source].read_head(in);

    if (r < 0)
        return r == -EAGAIN ? r : read_failed(in, r, e);
    wholeness_init(&in->whole, content_of(in->head, in->head_size));
    in->is_hprof =
        hprof_probe(in->head, in->head_size) || (in->whole.content == CONTENT_OTHER && text_ends(in->path, ".hprof"));
    return 0;
}

void intake_wait(const struct intake *in, int max_ms)
{
    if (in->buffer)
        stream_buffer_wait(in->buffer, max_ms);
    else
        (void)poll(&(struct pollfd){.fd = in->fd, .events = POLLIN}, 1, max_ms);
}

/* Walks the dump's records up to end, reading their heads alone: bodies are jumped over. */
static int walk(struct intake *in, uint64_t end, struct err *e)
{
    unsigned char piece[64 * 1024];

    while (in->hprof.offset < end) {
        uint64_t left = end - in->hprof.offset;
        ssize_t n;

        if (in->hprof.state == HPROF_BROKEN)
            return 0;
        if (in->hprof.body_left > sizeof(piece)) {
            uint64_t jump = in->hprof.body_left < left ? in->hprof.body_left : left;

            in->hprof.body_left -= jump;
            in->hprof.offset += jump;
            if (in->hprof.body_left > 0)
                return 0;
            in->hprof.state = HPROF_RECORD_HEAD;
            continue;
        }
        n = file_pread(in->fd, piece, left < sizeof(piece) ? (size_t)left : sizeof(piece), in->hprof.offset);
        if (n <= 0)
            return n < 0 ? read_failed(in, (int)n, e)
                         : err_set(e, -FAULT_CHANGED, "%s became shorter while it was shipped", in->path);
        hprof_feed(&in->hprof, piece, (size_t)n);
    }
    return 0;
}

/* The same for other evidence: all of it is read. */
static int read_again(struct intake *in, uint64_t end, struct err *e)
{
    unsigned char piece[64 * 1024];

    while (in->whole.offset < end) {
        uint64_t left = end - in->whole.offset;
        ssize_t n = file_pread(in->fd, piece, left < sizeof(piece) ? (size_t)left : sizeof(piece), in->whole.offset);

        if (n <= 0)
            return n < 0 ? read_failed(in, (int)n, e)
                         : err_set(e, -FAULT_CHANGED, "%s became shorter while it was shipped", in->path);
        if (wholeness_feed(&in->whole, piece, (size_t)n) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    }
    return 0;
}

int intake_resume(struct intake *in, uint64_t offset, const char *saved_digest, struct err *e)
{
    struct digest d;

    assert(in->source == INTAKE_FILE && saved_digest);
    if (offset > in->identity.size || digest_load(&d, saved_digest) < 0)
        return err_set(e, -FAULT_FORMAT, "the journal of %s does not fit the file", in->path);
    in->digest = d;
    in->offset = offset;
    if (in->is_hprof)
        return walk(in, offset, e);
    return in->whole.content == CONTENT_OTHER ? 0 : read_again(in, offset, e);
}

static ssize_t account(struct intake *in, const void *block, ssize_t n, struct err *e)
{
    digest_update(&in->digest, block, (size_t)n);
    if (in->is_hprof)
        hprof_feed(&in->hprof, block, (size_t)n);
    else if (wholeness_feed(&in->whole, block, (size_t)n) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    in->offset += (uint64_t)n;
    return n;
}

ssize_t intake_read(struct intake *in, void *block, struct err *e)
{
    ssize_t n = SOURCES[in->source].fill(in, block, e);

    return n < 0 ? n : account(in, block, n, e);
}

ssize_t intake_next(struct intake *in, void *block, const void **ret, struct err *e)
{
    ssize_t n;

    *ret = block;
    if (!in->buffer)
        return intake_read(in, block, e);
    n = stream_buffer_take(in->buffer, ret);
    if (n < 0)
        return n == -EAGAIN ? n : read_failed(in, (int)n, e);
    if (n == 0)
        return 0;
    count_stream(in, n);
    return account(in, *ret, n, e);
}

void intake_release(struct intake *in)
{
    if (in->buffer)
        stream_buffer_release(in->buffer);
}

void intake_stop(struct intake *in)
{
    if (in->buffer)
        stream_buffer_stop(in->buffer);
}

uint64_t intake_heard_ms(const struct intake *in)
{
    return in->buffer ? stream_buffer_heard_ms(in->buffer) : in->heard_ms;
}

int intake_complete(struct intake *in, struct err *e)
{
    assert(in->source == INTAKE_GROWING);
    int r = identity_get(in->fd, in->machine, &in->identity);

    if (r < 0)
        return read_failed(in, r, e);
    in->source = INTAKE_FILE;
    recheck_start(&in->recheck, in->fd, in->path);
    return 0;
}

int intake_verify(struct intake *in, struct err *e)
{
    const struct source_ops *ops = &SOURCES[in->source];

    return ops->verify ? ops->verify(in, e) : 0;
}

const char *intake_partial(const struct intake *in, char *out, size_t size)
{
    return in->is_hprof ? hprof_partial(&in->hprof, out, size) : wholeness_partial(&in->whole, out, size);
}
