/* SPDX-License-Identifier: Apache-2.0
 *
 * From a file or an object to descriptors.
 */
#include "inspect/dump_source.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "inspect/dump_file.h"
#include "linux/memory_room.h"

enum { PIECE = 256 * 1024, MAGIC = 4 };

struct feeding {
    struct dump_stream *stream;
    const struct dump_source_limits *limits;
    struct err *e;
};

static int feed(void *ctx, const void *data, size_t size)
{
    struct feeding *f = ctx;

    if (f->limits->stop(f->limits->ctx))
        return err_set(f->e, -ECANCELED, "stopped");
    return dump_stream_feed(f->stream, data, size, f->e);
}

static int read_stream(struct feeding *f, int fd)
{
    CLEANUP_FREE char *piece = malloc(PIECE);
    ssize_t n;
    int r = 0;

    if (!piece)
        return err_set(f->e, -ENOMEM, "out of memory");
    while (r == 0 && (n = read(fd, piece, PIECE)) != 0) {
        bool stop = n < 0 && f->limits->stop(f->limits->ctx);

        if (n < 0 && (errno != EINTR || stop))
            return err_set(f->e, stop ? -ECANCELED : -errno, "%s", strerror(errno));
        if (n > 0)
            r = feed(f, piece, (size_t)n);
    }
    return r;
}

/* Where all of it is unpacked from. */
struct packed {
    struct sink *sink; /* NULL: fd */
    const char *key;
    int fd;
};

static int unpack(struct dump_source *s, const struct packed *from, const struct dump_source_limits *limits,
                  struct err *e)
{
    struct feeding f = {.limits = limits, .e = e};
    struct object_reader reader = {.key = from->key, .fn = feed, .ctx = &f};
    struct stat st;
    int r = dump_stream_new(limits->folder, &f.stream, e);

    if (r < 0)
        return r;
    r = from->sink ? from->sink->ops->read(from->sink, &reader, e) : read_stream(&f, from->fd);
    if (r == 0)
        r = dump_stream_end(f.stream, &s->fd[0], e);
    dump_stream_free(f.stream);
    s->fd_count = r == 0;
    if (r == 0 && fstat(s->fd[0], &st) == 0)
        s->size = (uint64_t)st.st_size;
    return r;
}

static int serve_blocks(struct dump_source *s, const struct dump_source_limits *limits, struct err *e)
{
    uint64_t cache_bytes = limits->cache_bytes ? limits->cache_bytes : memory_room() / 4;
    int r = block_server_start(&s->frames, cache_bytes / (limits->sharing ? limits->sharing : 1), &s->server, s->fd, e);

    s->fd_count = r == 0 ? 2 : 0;
    s->size = s->frames.geometry.size;
    return r;
}

int dump_source_of_object(struct dump_source *s, const struct sink_config *config, const char *key,
                          const struct dump_source_limits *limits, struct err *e)
{
    struct sink *sink = NULL;
    int r;

    assert(s && config && key && limits->stop);
    r = sink_open(config, &sink, e);
    if (r == 0)
        r = frame_source_of_object(config, sink, key, &s->frames, e);
    if (r > 0)
        r = serve_blocks(s, limits, e);
    else if (r == 0 && !limits->packed_stays)
        r = unpack(s, &(struct packed){.sink = sink, .key = key}, limits, e);
    sink_close(sink);
    return r;
}

int dump_source_of_file(struct dump_source *s, int fd, const struct dump_source_limits *limits, struct err *e)
{
    unsigned char magic[MAGIC];
    struct stat st;
    ssize_t n;
    int r;

    assert(s && fd >= 0 && limits->stop);
    s->file = fd;
    if (fstat(s->file, &st) < 0)
        return err_set(e, -errno, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(e, -FAULT_UNREADABLE, "it is no regular file");
    s->size = (uint64_t)st.st_size;
    n = file_pread(s->file, magic, sizeof(magic), 0);
    if (n <= 0 || codec_of_content(magic, (size_t)n) == &CODEC_NONE) {
        s->fd[0] = TAKE_FD(s->file);
        s->fd_count = 1;
        return 0;
    }
    r = frame_source_of_file(s->file, &s->frames, e);
    if (r > 0)
        return serve_blocks(s, limits, e);
    return r < 0 || limits->packed_stays ? r : unpack(s, &(struct packed){.fd = s->file}, limits, e);
}

int dump_source_of_stream(struct dump_source *s, int fd, const struct dump_source_limits *limits, struct err *e)
{
    assert(s && fd >= 0 && limits->stop);
    return unpack(s, &(struct packed){.fd = fd}, limits, e);
}

void dump_source_started(struct dump_source *s)
{
    for (unsigned i = 0; i < s->fd_count; i++)
        close(TAKE_FD(s->fd[i]));
    s->fd_count = 0;
}

int dump_source_close(struct dump_source *s, struct err *e)
{
    int r = s->server ? block_server_end(s->server, e) : 0;

    dump_source_started(s);
    frame_source_done(&s->frames);
    mem_close_ptr(&s->file);
    *s = DUMP_SOURCE_NONE;
    return r;
}
