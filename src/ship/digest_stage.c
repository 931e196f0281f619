/* SPDX-License-Identifier: Apache-2.0
 *
 * The pipe to the child never blocks: what does not fit in is said later (a reach), or waited for until the patience
 * for this child is used up (a stream's bytes).
 */
#include "ship/digest_stage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "linux/priority.h"
#include "ship/digest_request.h"
#include "ship/evidence_summary.h"

enum {
    STREAM_PIPE_SIZE = 1024 * 1024,
    STREAM_PATIENCE_MS = 2000,
    PATIENCE_LEAST_MS = 5000,
    PATIENCE_MOST_MS = 40000, /* a worker without progress for a minute is killed */
    BYTES_PER_MS = 256 * 1024,
    CHILD_NICE = 5,
    UNPACKED_FACTOR = 16 /* what was compressed takes so much longer */
};

static const char TOO_SLOW[] = "it could not keep up with the stream";

struct digest_stage {
    struct sandboxed_process child;
    struct sandboxed_task task;
    char *argv[6];
    char content[12];
    int to; /* the pipe; -1: closed */
    bool stream, packed;
    uint64_t until_ms; /* of a deadline for all; 0: none */
    uint64_t size;     /* at the end */
    uint64_t waited_ms;
    const char *lost; /* why there will be no answer; static text */
};

/* zstd can't be known by its first bytes: that it is a heap dump, its name says. */
static bool is_packed(const struct digest_source *source)
{
    return source->content == CONTENT_HPROF_GZIP || source->content == CONTENT_PHD_GZIP ||
           (source->content == CONTENT_OTHER && text_eq(source->kind, "heap-dump"));
}

bool digest_stage_exists(const struct digest_source *source)
{
    assert(source->kind);
    return source->content == CONTENT_HPROF || is_packed(source) ||
           evidence_summary_max(source->kind, source->content) > 0;
}

uint64_t digest_stage_patience_ms(uint64_t size)
{
    uint64_t ms = PATIENCE_LEAST_MS + size / BYTES_PER_MS;

    return ms < PATIENCE_MOST_MS ? ms : PATIENCE_MOST_MS;
}

static int start(struct digest_stage *s, const struct digest_source *source, struct err *e)
{
    CLEANUP_FD int reader = -1;
    int pair[2], fds[2];

    if (source->blocks) {
        s->task.fds = source->blocks;
        s->task.fd_count = 2;
        return sandboxed_start(&s->task, &s->child, e);
    }
    if (pipe2(pair, O_CLOEXEC) < 0)
        return err_set(e, -errno, "no pipe: %s", strerror(errno));
    reader = pair[0];
    s->to = pair[1];
    if (s->stream)
        fcntl(s->to, F_SETPIPE_SZ, STREAM_PIPE_SIZE); /* best effort: fewer switches */
    if (fcntl(s->to, F_SETFL, O_NONBLOCK) < 0)
        return err_set(e, -errno, "no pipe: %s", strerror(errno));
    fds[0] = s->stream ? reader : source->fd;
    fds[1] = reader;
    s->task.fds = fds;
    s->task.fd_count = s->stream ? 1 : 2;
    return sandboxed_start(&s->task, &s->child, e);
}

int digest_stage_new(const struct digest_source *source, struct digest_stage **ret, struct err *e)
{
    struct digest_stage *s = calloc(1, sizeof(*s));
    int r;

    assert(digest_stage_exists(source) && ret);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    *s = (struct digest_stage){
        .packed = is_packed(source), .child = SANDBOXED_NONE, .to = -1, .stream = source->fd < 0 && !source->blocks};
    snprintf(s->content, sizeof(s->content), "%d", (int)source->content);
    s->argv[0] = (char *)"salvage";
    s->argv[1] = (char *)DIGEST_COMMAND;
    s->argv[2] = (char *)source->kind;
    s->argv[3] = s->content;
    s->argv[4] = (char *)(s->stream ? "stream" : source->blocks ? "blocks" : "file");
    s->task = (struct sandboxed_task){.argv = s->argv, .nice = CHILD_NICE, .stop = source->stop, .ctx = source->ctx};
    if (source->deadline_ms > 0)
        s->until_ms = clock_mono_ms() + source->deadline_ms;
    if ((r = start(s, source, e)) < 0) {
        digest_stage_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void digest_stage_free(struct digest_stage *s)
{
    if (!s)
        return;
    sandboxed_end(&s->child);
    if (s->to >= 0)
        close(s->to);
    free(s);
}

static void send_reach(struct digest_stage *s, uint64_t to, bool end)
{
    const struct digest_reach reach = {to, end};

    if (s->to >= 0 && write(s->to, &reach, sizeof(reach)) < 0 && errno != EAGAIN && errno != EINTR)
        close(TAKE_FD(s->to)); /* the child has ended: the reason is in its answer */
}

void digest_stage_reach(struct digest_stage *s, uint64_t to)
{
    assert(!s->stream);
    send_reach(s, to, false);
}

/* False: no more room within the patience, or the child is gone. */
static bool wait_for_room(struct digest_stage *s)
{
    struct pollfd to = {.fd = s->to, .events = POLLOUT};
    uint64_t before = clock_mono_ms();
    int r;

    if (s->until_ms == 0 && s->waited_ms >= STREAM_PATIENCE_MS) {
        s->lost = TOO_SLOW;
        return false;
    }
    r = wait_ready(&to, 1, s->until_ms ? s->until_ms : before + STREAM_PATIENCE_MS - s->waited_ms);
    s->waited_ms += clock_mono_ms() - before;
    if (r == 0)
        s->lost = TOO_SLOW;
    return r > 0 && !(to.revents & POLLERR); /* a child that has ended gives its reason in its answer */
}

bool digest_stage_feed(struct digest_stage *s, const void *data, size_t size)
{
    const char *p = data;

    assert(s->stream);
    while (size > 0 && s->to >= 0) {
        ssize_t n = write(s->to, p, size);

        if (n > 0) {
            p += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN ? !wait_for_room(s) : errno != EINTR) {
            close(TAKE_FD(s->to));
        }
    }
    return s->to >= 0;
}

void digest_stage_usual(struct digest_stage *s)
{
    if (s->child.pid > 0)
        priority_usual_process(s->child.pid);
}

void digest_stage_end(struct digest_stage *s, uint64_t size)
{
    struct pollfd to = {.fd = s->to, .events = POLLOUT};

    s->size = size;
    if (s->to < 0)
        return;
    if (!s->stream) {
        wait_ready(&to, 1, clock_mono_ms() + STREAM_PATIENCE_MS);
        send_reach(s, size, true);
    }
    if (s->to >= 0)
        close(TAKE_FD(s->to));
}

int digest_stage_collect(struct digest_stage *s, struct digest_answer *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = DIGEST_ANSWER_MAX};
    int r;

    assert(s->to < 0 && ret);
    if (s->lost)
        return err_set(e, -ETIMEDOUT, "%s", s->lost);
    if (s->child.pid <= 0)
        return err_set(e, -FAULT_FORMAT, "its answer was collected already");
    s->task.deadline_ms = s->until_ms ? clock_left_ms(s->until_ms)
                                      : digest_stage_patience_ms(s->packed ? s->size * UNPACKED_FACTOR : s->size);
    s->child.until_ms = clock_mono_ms() + s->task.deadline_ms;
    if ((r = sandboxed_collect(&s->child, &s->task, &text, e)) < 0)
        return r;
    if ((r = digest_answer_parse(&text, ret, e)) == 0)
        ret->unfiltered = s->child.missing & SANDBOX_NO_SECCOMP;
    return r;
}
