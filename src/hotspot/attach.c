/* SPDX-License-Identifier: Apache-2.0
 *
 * One question over one connection.
 */
#include "hotspot/attach.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

enum {
    POLL_MS = 200,
    STEP = 16 * 1024,
    STORY_MAX = 2048, /* bytes of an error's text */
    STREAM_TIMES = 3, /* of the silence that is allowed: for all of a streamed answer */
    /* The first JDK that was given version 2 at its release is 24; the updates of 21 may have it. Older ones are not
     * asked: one round trip saved. */
    VERSIONED_JDK = 21
};

static int pid_of(const struct jvm *j)
{
    return (int)j->proc.pid;
}

/* Waits until the socket is ready. */
static int wait_ready(const struct jvm *j, int fd, short events, const struct attach_wait *wait, struct err *e)
{
    uint64_t since = clock_mono_ms();

    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, POLL_MS), r;

        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set(e, -errno, "poll: %s", strerror(errno));
        if ((r = attach_patience(j, wait, &since, "does not answer", e)) < 0)
            return r;
    }
}

static int closed(const struct jvm *j, struct err *e)
{
    return err_set(e, -ESRCH,
                   "JVM %d closed the connection without an answer: it ends, or it talks to uid %u gid %u only",
                   pid_of(j), (unsigned)j->status.uid, (unsigned)j->status.gid);
}

static int send_all(const struct jvm *j, int fd, const struct buf *request, const struct attach_wait *wait,
                    struct err *e)
{
    size_t sent = 0;

    while (sent < request->size) {
        ssize_t n = send(fd, request->data + sent, request->size - sent, MSG_NOSIGNAL);
        int r;

        if (n > 0)
            sent += (size_t)n;
        else if (errno == EPIPE || errno == ECONNRESET)
            return closed(j, e);
        else if (errno != EAGAIN && errno != EINTR)
            return err_set(e, -ESRCH, "JVM %d went away: %s", pid_of(j), strerror(errno));
        else if ((r = wait_ready(j, fd, POLLOUT, wait, e)) < 0)
            return r;
    }
    return 0;
}

/* The next bytes of the answer; 0 at its end. */
static ssize_t receive(const struct jvm *j, int fd, char *step, size_t size, const struct attach_wait *wait,
                       struct err *e)
{
    for (;;) {
        ssize_t n = recv(fd, step, size, 0);
        int r;

        if (n >= 0)
            return n;
        if (errno == ECONNRESET) /* it closes without having read */
            return closed(j, e);
        if (errno != EAGAIN && errno != EINTR)
            return err_set(e, -ESRCH, "JVM %d went away: %s", pid_of(j), strerror(errno));
        if (errno == EAGAIN && (r = wait_ready(j, fd, POLLIN, wait, e)) < 0)
            return r;
    }
}

/* A few bytes now and then are no silence; but no JVM answers like that. */
static int dripping(const struct jvm *j, struct err *e)
{
    return err_set(e, -ETIMEDOUT, "JVM %d takes too long for the rest of its answer", pid_of(j));
}

/* The first line of the answer, which decides what the rest is; what was read of the rest is in head from *ret_text on.
 */
static int receive_result(const struct jvm *j, int fd, struct buf *head, int *ret_result, size_t *ret_text,
                          const struct attach_wait *wait, struct err *e)
{
    char step[STEP];
    uint64_t first_ms = 0;

    for (;;) {
        ssize_t n = receive(j, fd, step, sizeof(step), wait, e);
        int r;

        first_ms = first_ms ? first_ms : clock_mono_ms();
        if (n > 0 && clock_mono_ms() - first_ms > wait->timeout_ms)
            return dripping(j, e);

        if (n < 0)
            return (int)n;
        if (n == 0 && head->size == 0)
            return closed(j, e);
        if (buf_add(head, step, (size_t)n) < 0)
            return err_set(e, -ENOMEM, "out of memory");
        r = attach_answer(head->data, head->size, ret_result, ret_text);
        if (r < 0 || (r == 0 && n == 0))
            return err_set(e, -FAULT_FORMAT, "JVM %d answers with something else than a result", pid_of(j));
        if (r > 0)
            return 0;
    }
}

/* The JVM's own story: its first line, as the rest is a Java stack. */
static int refused(const struct jvm *j, const char *command, int result, const char *text, struct err *e)
{
    while (*text == '\n')
        text++;
    return err_set(e, -EPROTO, "JVM %d refuses %s (%d): %.*s", pid_of(j), command, result, (int)strcspn(text, "\n"),
                   text);
}

static int add_story(void *ctx, const char *text, size_t size)
{
    struct buf *b = ctx;
    size_t room = STORY_MAX - b->size;

    return buf_add(b, text, size < room ? size : room);
}

/* The end of an answer is the end of the connection, and so is the end of the JVM. One that dies gives up its memory
 * before its sockets (do_exit of the kernel). */
static bool has_died(const struct jvm *j)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = STORY_MAX};

    return file_load(j->proc.fd, "statm", &text) < 0 || strncmp(buf_text(&text), "0 ", 2) == 0;
}

static int check_end(const struct jvm *j, struct err *e)
{
    return has_died(j) ? err_set(e, -ESRCH, "JVM %d ended while it answered: that may not be all", pid_of(j)) : 0;
}

/* One answer on its way to fn. */
struct answer {
    const struct jvm *j;
    const struct attach_wait *wait;
    int fd, result;
    int (*fn)(void *ctx, const char *text, size_t size);
    void *ctx;
};

/* What ends an answer that does not end by itself. fn_ms: what the caller took of the time. */
static int check_bounds(const struct answer *a, uint64_t begun_ms, uint64_t fn_ms, uint64_t taken, struct err *e)
{
    const struct attach_wait *wait = a->wait;
    uint64_t most = wait->most ? wait->most : ATTACH_ANSWER_MAX;

    if (wait->stop && wait->stop(wait->ctx))
        return err_set(e, -ECANCELED, "stopped while JVM %d answered", pid_of(a->j));
    if (clock_mono_ms() - begun_ms > wait->timeout_ms * STREAM_TIMES + fn_ms)
        return dripping(a->j, e);
    return taken <= most ? 0
                         : err_set(e, -EMSGSIZE, "JVM %d does not end its answer: more than %" PRIu64 " MiB have come",
                                   pid_of(a->j), most >> 20);
}

/* Hands on what comes, piece by piece. */
static int receive_text(const struct answer *a, const char *text, size_t size, struct err *e)
{
    uint64_t begun_ms = clock_mono_ms(), fn_ms = 0, taken = size;
    char step[STEP];
    int r = a->fn(a->ctx, text, size);

    while (r == 0) {
        ssize_t n = receive(a->j, a->fd, step, sizeof(step), a->wait, e);
        uint64_t come_ms = clock_mono_ms();

        if (n <= 0)
            return (int)n;
        taken += (uint64_t)n;
        if ((r = check_bounds(a, begun_ms, fn_ms, taken, e)) == 0)
            r = a->fn(a->ctx, step, (size_t)n);
        fn_ms += clock_mono_ms() - come_ms;
    }
    return r;
}

static int converse(const struct jvm *j, const struct attach_dialect *dialect, bool stream, const char *command,
                    const char *const args[ATTACH_ARGS], const struct attach_wait *wait,
                    int (*fn)(void *ctx, const char *text, size_t size), void *ctx, struct err *e)
{
    CLEANUP(buf_done) struct buf request = {0}, head = {0}, story = {0};
    CLEANUP_FD int fd = -1;
    struct answer a = {.j = j, .wait = wait, .fn = fn, .ctx = ctx};
    int r = attach_request(&request, dialect, stream, command, args);
    size_t text = 0;

    if (r == -E2BIG)
        return err_set(e, -FAULT_USAGE, "%s: that is more than JVM %d can be asked at once", command, pid_of(j));
    if (r < 0)
        return err_set(e, r, "out of memory");
    if ((fd = attach_socket(j, wait, e)) < 0)
        return fd;
    if ((r = send_all(j, fd, &request, wait, e)) < 0 ||
        (r = receive_result(j, fd, &head, &a.result, &text, wait, e)) < 0)
        return r;
    a.fd = fd;
    if (a.result != 0) {
        a.fn = add_story;
        a.ctx = &story;
    }
    if ((r = receive_text(&a, head.data + text, head.size - text, e)) < 0)
        return r;
    return a.result != 0 ? refused(j, command, a.result, buf_text(&story), e) : check_end(j, e);
}

/* An answer that is asked for whole. */
struct keeping {
    struct buf *into;
    const struct jvm *j;
    uint64_t timeout_ms; /* from its first byte to its last */
    struct err *e;
    uint64_t first_ms;
};

static int keep(void *ctx, const char *text, size_t size)
{
    struct keeping *k = ctx;
    int r;

    k->first_ms = k->first_ms ? k->first_ms : clock_mono_ms();
    if (clock_mono_ms() - k->first_ms > k->timeout_ms)
        return dripping(k->j, k->e);
    r = buf_add(k->into, text, size);

    return r == -EMSGSIZE ? err_set(k->e, r, "JVM %d answers with more than can be held", pid_of(k->j))
           : r < 0        ? err_set(k->e, r, "out of memory")
                          : 0;
}

/* What the JVM speaks. One that doesn't know the question speaks version 1. */
static int learn_dialect(const struct jvm *j, const struct attach_wait *wait, struct attach_dialect *ret, struct err *e)
{
    static const struct attach_dialect first = {.version = 1};
    CLEANUP(buf_done) struct buf answer = {.ceiling = STORY_MAX};
    struct keeping k = {&answer, j, wait->timeout_ms, e, 0};
    unsigned jdk = jvm_feature(j);
    int r;

    *ret = first;
    if (jdk > 0 && jdk < VERSIONED_JDK)
        return 0;
    r = converse(j, &first, false, "getversion", (const char *[ATTACH_ARGS]){"options"}, wait, keep, &k, e);
    if (r == 0)
        attach_versions(buf_text(&answer), ret);
    return r == -EPROTO ? 0 : r;
}

int attach_stream(const struct jvm *j, const char *command, const char *const args[ATTACH_ARGS],
                  const struct attach_wait *wait, int (*fn)(void *ctx, const char *text, size_t size), void *ctx,
                  struct err *e)
{
    struct attach_dialect dialect;
    int r = learn_dialect(j, wait, &dialect, e);

    return r < 0 ? r : converse(j, &dialect, true, command, args, wait, fn, ctx, e);
}

int attach_ask(const struct jvm *j, const char *command, const char *const args[ATTACH_ARGS],
               const struct attach_wait *wait, struct buf *ret, struct err *e)
{
    struct keeping k = {ret, j, wait->timeout_ms, e, 0};
    struct attach_dialect dialect;
    size_t before = ret->size;
    int r = learn_dialect(j, wait, &dialect, e);

    if (r == 0)
        r = converse(j, &dialect, false, command, args, wait, keep, &k, e);
    if (r < 0)
        ret->size = before;
    return r;
}
