/* SPDX-License-Identifier: Apache-2.0
 *
 * sink_ops.read calls us with bytes, an answer asks for them: the pipe turns one into the other.
 */
#include "serve/store_stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

enum { STACK_BYTES = 512 * 1024, PIPE_BYTES = 256 * 1024 };

struct store_stream {
    struct sink_pool *sinks;
    char *key;
    struct object_info known;
    uint64_t offset, size;
    uint64_t left; /* to be read from the pipe */
    pthread_t thread;
    int from, to;     /* the pipe's ends; to: the thread's */
    uint64_t written; /* by the thread */
};

/* SIGPIPE is blocked in threads: what is left after the reader has gone fails with EPIPE. */
static int take(void *ctx, const void *data, size_t size)
{
    struct store_stream *s = ctx;
    uint64_t wanted = s->size - s->written;
    int r = file_write(s->to, data, size < wanted ? size : (size_t)wanted);

    if (r < 0)
        return -ECANCELED;
    s->written += size < wanted ? size : wanted;
    return size > wanted ? -ECANCELED : 0;
}

static void *run(void *ctx)
{
    struct store_stream *s = ctx;
    const struct object_reader reader = {
        .key = s->key, .offset = s->offset, .limit = s->size, .known = &s->known, .fn = take, .ctx = s};
    struct sink *sink = NULL;
    struct err e = {0};
    int r = sink_pool_take(s->sinks, &sink, &e);

    if (r == 0)
        r = sink->ops->read(sink, &reader, &e);
    sink_pool_give(s->sinks, sink);
    if (r < 0 && r != -ECANCELED)
        log_event(EVENT_GATEWAY_FAILED, LOG_STR("key", s->key), LOG_STR("fault", fault_find(r)->name),
                  LOG_STR("error", e.msg));
    close(s->to);
    return NULL;
}

static void stream_free(struct store_stream *s)
{
    if (!s)
        return;
    free(s->key);
    free(s);
}

DEFINE_CLEANUP(struct store_stream *, stream_free)

int store_stream_open(struct sink_pool *sinks, const struct store_stream_range *range, struct store_stream **ret,
                      struct err *e)
{
    CLEANUP(stream_free_ptr) struct store_stream *s = calloc(1, sizeof(*s));
    int ends[2], r;

    assert(sinks && range->key && range->size > 0 && ret);
    if (!s || !(s->key = strdup(range->key)))
        return err_set(e, -ENOMEM, "out of memory");
    s->sinks = sinks;
    s->known = *range->known;
    s->offset = range->offset;
    s->size = s->left = range->size;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(e, -FAULT_BUSY, "no pipe: %s", strerror(errno));
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); /* a smaller one does it, too */
    s->from = ends[0];
    s->to = ends[1];
    if ((r = thread_start(&s->thread, STACK_BYTES, run, s)) < 0) {
        close(s->from);
        close(s->to);
        return err_set(e, -FAULT_BUSY, "no thread: %s", strerror(-r));
    }
    *ret = TAKE_PTR(s);
    return 0;
}

void store_stream_close(struct store_stream *s)
{
    if (!s)
        return;
    close(s->from);
    pthread_join(s->thread, NULL);
    stream_free(s);
}

ssize_t store_stream_read(struct store_stream *s, void *data, size_t size)
{
    ssize_t n;

    if (size > s->left)
        size = (size_t)s->left;
    if (size == 0)
        return 0;
    while ((n = read(s->from, data, size)) < 0 && errno == EINTR)
        ;
    if (n <= 0)
        return -EIO;
    s->left -= (uint64_t)n;
    return n;
}
