/* SPDX-License-Identifier: Apache-2.0
 *
 * One request over one connection.
 */
#include "hotspot/attach.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    POLL_MS = 200,
    STEP = 16 * 1024,
    ERROR_MAX = 2048, /* bytes of an error's text */
    STREAM_TIMES = 3, /* times wait->timeout_ms: for the whole of a streamed answer */
    /* Version 2 of the protocol came with JDK 24; updates of 21 may have it. Older JDKs are not asked for it, which
     * saves a round trip. */
    VERSIONED_JDK = 21
};

/* One request to a JVM, and where its answer goes. */
struct exchange {
    const struct jvm *j;
    const struct attach_wait *wait;
    const struct attach_question *question;
    struct attach_reader to;
    bool stream;
    int fd;
    struct err *e;
};

static int pid_of(const struct jvm *j)
{
    return (int)j->proc.pid;
}

static int wait_for_socket(const struct exchange *x, short events)
{
    uint64_t since = clock_mono_ms();

    for (;;) {
        struct pollfd p = {.fd = x->fd, .events = events};
        int n = poll(&p, 1, POLL_MS), r;

        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set(x->e, -errno, "poll: %s", strerror(errno));
        if ((r = attach_check_wait(x->j, x->wait, &since, "does not answer", x->e)) < 0)
            return r;
    }
}

static int closed(const struct exchange *x)
{
    const struct proc_status *s = &x->j->status;

    return err_set(x->e, -ESRCH,
                   "JVM %d closed the connection without an answer: it is ending, or it answers uid %u gid %u only",
                   pid_of(x->j), (unsigned)s->uid, (unsigned)s->gid);
}

/* The error of a failed system call; 0 if the call is to be repeated. */
static int socket_error(const struct exchange *x, int error, short events)
{
    if (error == EPIPE || error == ECONNRESET) /* it closed without having read */
        return closed(x);
    if (error == EINTR)
        return 0;
    if (error == EAGAIN)
        return wait_for_socket(x, events);
    return err_set(x->e, -ESRCH, "JVM %d closed the connection: %s", pid_of(x->j), strerror(error));
}

static int send_all(const struct exchange *x, const struct buf *request)
{
    size_t sent = 0;

    while (sent < request->size) {
        ssize_t n = send(x->fd, request->data + sent, request->size - sent, MSG_NOSIGNAL);
        int r;

        if (n > 0)
            sent += (size_t)n;
        else if ((r = socket_error(x, errno, POLLOUT)) < 0)
            return r;
    }
    return 0;
}

/* The next bytes of the answer; 0 at its end. */
static ssize_t receive(const struct exchange *x, char *step, size_t size)
{
    for (;;) {
        ssize_t n = recv(x->fd, step, size, 0);
        int r;

        if (n >= 0)
            return n;
        if ((r = socket_error(x, errno, POLLIN)) < 0)
            return r;
    }
}

/* A JVM that sends a few bytes now and then is not silent, and must not hold us for ever. */
static int too_slow(const struct jvm *j, struct err *e)
{
    return err_set(e, -ETIMEDOUT, "JVM %d takes too long for the rest of its answer", pid_of(j));
}

/* Reads the first line of the answer: the result, 0 or an error. The text that arrived with it is in head from
 * *ret_text on. */
static int receive_result(const struct exchange *x, struct buf *head, int *ret_result, size_t *ret_text)
{
    char step[STEP];
    uint64_t first_ms = 0;

    for (;;) {
        ssize_t n = receive(x, step, sizeof(step));
        int r;

        first_ms = first_ms ? first_ms : clock_mono_ms();
        if (n > 0 && clock_mono_ms() - first_ms > x->wait->timeout_ms)
            return too_slow(x->j, x->e);
        if (n < 0)
            return (int)n;
        if (n == 0 && head->size == 0)
            return closed(x);
        if (buf_add(head, step, (size_t)n) < 0)
            return err_set(x->e, -ENOMEM, "out of memory");
        r = attach_answer(head->data, head->size, ret_result, ret_text);
        if (r < 0 || (r == 0 && n == 0))
            return err_set(x->e, -FAULT_FORMAT, "JVM %d: its answer does not begin with a result", pid_of(x->j));
        if (r > 0)
            return 0;
    }
}

/* Only the first line of the JVM's error: the rest is a Java stack trace. */
static int refused(const struct exchange *x, int result, const char *text)
{
    text += strspn(text, "\n");
    return err_set(x->e, -EPROTO, "JVM %d refuses %s (%d): %.*s", pid_of(x->j), x->question->command, result,
                   (int)strcspn(text, "\n"), text);
}

static int add_error(void *ctx, const char *text, size_t size)
{
    struct buf *b = ctx;
    size_t room = ERROR_MAX - b->size;

    return buf_add(b, text, size < room ? size : room);
}

/* The end of the connection ends an answer, and so does the death of the JVM. A dying process gives up its memory
 * before its sockets (do_exit of the kernel), so an empty statm shows it. */
static bool has_died(const struct jvm *j)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = ERROR_MAX};

    return file_load(j->proc.fd, "statm", &text) < 0 || strncmp(buf_text(&text), "0 ", 2) == 0;
}

/* Limits for an answer that does not end: the caller's stop, time and size. read_ms: time that the reader used. */
static int check_bounds(const struct exchange *x, uint64_t begun_ms, uint64_t read_ms, uint64_t taken)
{
    uint64_t most = x->wait->most ? x->wait->most : ATTACH_ANSWER_MAX;

    if (x->wait->stop && x->wait->stop(x->wait->ctx))
        return err_set(x->e, -ECANCELED, "stopped while JVM %d answered", pid_of(x->j));
    if (clock_mono_ms() - begun_ms > x->wait->timeout_ms * STREAM_TIMES + read_ms)
        return too_slow(x->j, x->e);
    return taken <= most ? 0
                         : err_set(x->e, -EMSGSIZE, "JVM %d: its answer is longer than %" PRIu64 " MiB", pid_of(x->j),
                                   most >> 20);
}

/* Passes the text to the reader piece by piece; text is the first piece. */
static int receive_text(const struct exchange *x, const struct attach_reader *to, const char *text, size_t size)
{
    uint64_t begun_ms = clock_mono_ms(), read_ms = 0, taken = size;
    char step[STEP];
    int r = to->read(to->ctx, text, size);

    while (r == 0) {
        ssize_t n = receive(x, step, sizeof(step));
        uint64_t come_ms = clock_mono_ms();

        if (n <= 0)
            return (int)n;
        taken += (uint64_t)n;
        if ((r = check_bounds(x, begun_ms, read_ms, taken)) == 0)
            r = to->read(to->ctx, step, (size_t)n);
        read_ms += clock_mono_ms() - come_ms;
    }
    return r;
}

static int receive_answer(const struct exchange *x)
{
    CLEANUP(buf_done) struct buf head = {0}, error = {0};
    const struct attach_reader to_error = {add_error, &error};
    size_t text = 0;
    int result = 0, r = receive_result(x, &head, &result, &text);

    if (r < 0 || (r = receive_text(x, result ? &to_error : &x->to, head.data + text, head.size - text)) < 0)
        return r;
    if (result)
        return refused(x, result, buf_text(&error));
    return has_died(x->j)
               ? err_set(x->e, -ESRCH, "JVM %d ended while it answered: the answer may be cut short", pid_of(x->j))
               : 0;
}

static int exchange(struct exchange *x, const struct attach_dialect *dialect)
{
    const struct attach_question *q = x->question;
    CLEANUP(buf_done) struct buf request = {0};
    CLEANUP_FD int fd = -1;
    int r = attach_request(&request, dialect, x->stream, q->command, q->args);

    if (r == -E2BIG)
        return err_set(x->e, -FAULT_USAGE, "%s: the arguments are too long for JVM %d", q->command, pid_of(x->j));
    if (r < 0)
        return err_set(x->e, r, "out of memory");
    if ((x->fd = fd = attach_socket(x->j, x->wait, x->e)) < 0)
        return fd;
    r = send_all(x, &request);
    return r < 0 ? r : receive_answer(x);
}

/* An answer that is collected in a buffer. */
struct whole_answer {
    struct buf *into;
    const struct exchange *of;
    uint64_t first_ms; /* when its first byte came */
};

static int add_text(void *ctx, const char *text, size_t size)
{
    struct whole_answer *w = ctx;
    const struct exchange *x = w->of;
    char most[TEXT_SIZE_MAX];
    int r;

    w->first_ms = w->first_ms ? w->first_ms : clock_mono_ms();
    if (clock_mono_ms() - w->first_ms > x->wait->timeout_ms)
        return too_slow(x->j, x->e);
    r = buf_add(w->into, text, size);
    if (r == -EMSGSIZE)
        return err_set(x->e, r, "JVM %d: its answer is longer than %s", pid_of(x->j),
                       text_format_size(w->into->ceiling ? w->into->ceiling : BUF_CEILING, most));
    return r < 0 ? err_set(x->e, r, "out of memory") : 0;
}

static int exchange_whole(const struct exchange *x, const struct attach_dialect *dialect, struct buf *ret)
{
    struct whole_answer w = {.into = ret, .of = x};
    struct exchange whole = *x;

    whole.to = (struct attach_reader){add_text, &w};
    return exchange(&whole, dialect);
}

/* Asks for the protocol version. A JVM that does not know the command "getversion" speaks version 1. */
static int learn_dialect(const struct jvm *j, const struct attach_wait *wait, struct attach_dialect *ret, struct err *e)
{
    static const struct attach_dialect first = {.version = 1};
    static const struct attach_question question = {"getversion", {"options"}};
    CLEANUP(buf_done) struct buf answer = {.ceiling = ERROR_MAX};
    struct exchange x = {.j = j, .wait = wait, .question = &question, .e = e};
    unsigned jdk = jvm_feature(j);
    int r;

    *ret = first;
    if (jdk > 0 && jdk < VERSIONED_JDK)
        return 0;
    if ((r = exchange_whole(&x, &first, &answer)) == 0)
        attach_versions(buf_text(&answer), ret);
    return r == -EPROTO ? 0 : r;
}

int attach_stream(const struct jvm *j, const struct attach_question *q, const struct attach_wait *wait,
                  const struct attach_reader *to, struct err *e)
{
    assert(q->command && to->read);
    struct exchange x = {.j = j, .wait = wait, .question = q, .to = *to, .stream = true, .e = e};
    struct attach_dialect dialect;
    int r = learn_dialect(j, wait, &dialect, e);

    return r < 0 ? r : exchange(&x, &dialect);
}

int attach_ask(const struct jvm *j, const struct attach_question *q, const struct attach_wait *wait, struct buf *ret,
               struct err *e)
{
    assert(q->command && ret);
    struct exchange x = {.j = j, .wait = wait, .question = q, .e = e};
    struct attach_dialect dialect;
    size_t before = ret->size;
    int r = learn_dialect(j, wait, &dialect, e);

    if (r == 0)
        r = exchange_whole(&x, &dialect, ret);
    if (r < 0)
        ret->size = before;
    return r;
}
