/* SPDX-License-Identifier: Apache-2.0
 *
 * A message is a kind and its bytes. Between fork and exec only async-signal-safe functions.
 */
#include "linux/sandboxed_process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdalign.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/wait.h"

enum { TEXT_MAX = 600, PIECE = 32 * 1024, WAIT_MS = 100, ABOVE = 64, PATIENCE_MS = 5000 };

enum kind { KIND_MISSING = 1, KIND_PROGRESS, KIND_DATA, KIND_FAILED, KIND_DONE, KIND_FILE };

struct message {
    uint32_t kind;
    union {
        uint32_t missing;
        uint64_t progress[2];
        struct {
            int32_t code;
            char text[TEXT_MAX]; /* not NUL-terminated */
        } failed;
        unsigned char data[PIECE];
    };
};

enum { HEAD = offsetof(struct message, data) };

/* The answer to KIND_FILE: a result, with a descriptor if it is 0. */
struct sandboxed_handed {
    struct msghdr message;
    struct iovec part;
    int32_t result;
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

/* fd: a descriptor, or -errno, to be sent. In place: it points into itself. */
static void sandboxed_handed_init(struct sandboxed_handed *h, int fd)
{
    struct cmsghdr *c;

    *h = (struct sandboxed_handed){.result = fd < 0 ? fd : 0};
    h->part = (struct iovec){&h->result, sizeof(h->result)};
    h->message = (struct msghdr){.msg_iov = &h->part, .msg_iovlen = 1};
    if (fd < 0)
        return;
    h->message.msg_control = h->control;
    h->message.msg_controllen = sizeof(h->control);
    c = CMSG_FIRSTHDR(&h->message);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

/* The parent's end */

static void place(int fd, int at)
{
    if (fd < 0 || dup2(fd, at) < 0)
        _exit(127);
}

/* The path that this program was started by, as the kernel has noted it. */
static const char *started_by(void)
{
    unsigned long at = getauxval(AT_EXECFN);
    const char *path;

    memcpy(&path, &at, sizeof(path));
    return path ? path : "";
}

static _Noreturn void become_child(const struct sandboxed_task *t, int answer, int nothing)
{
    static char *const NO_ENVIRONMENT[] = {NULL};
    int fd[SANDBOXED_FDS_MAX];

    /* Above the places that they get. */
    answer = fcntl(answer, F_DUPFD, ABOVE);
    nothing = fcntl(nothing, F_DUPFD, ABOVE);
    for (unsigned i = 0; i < t->fd_count; i++)
        fd[i] = fcntl(t->fds[i], F_DUPFD, ABOVE);
    place(nothing, STDIN_FILENO);
    place(nothing, STDOUT_FILENO);
#ifndef __SANITIZE_ADDRESS__ /* its reports are worth more than a clean terminal */
    place(nothing, STDERR_FILENO);
#endif
    place(answer, SANDBOXED_ANSWER);
    for (unsigned i = 0; i < t->fd_count; i++)
        place(fd[i], SANDBOXED_FIRST + (int)i);
    close_range((unsigned)SANDBOXED_FIRST + t->fd_count, ~0U, 0);
    signal(SIGINT, SIG_IGN); /* a terminal's; the parent ends us */
    sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
    if (t->nice && nice(t->nice) < 0)
        errno = 0; /* it runs all the same */
    execve("/proc/self/exe", t->argv, NO_ENVIRONMENT);
    execve(started_by(), t->argv, NO_ENVIRONMENT); /* there is no /proc */
    _exit(127);
}

int sandboxed_start(const struct sandboxed_task *t, struct sandboxed_process *ret, struct err *e)
{
    CLEANUP_FD int ours = -1, its = -1, reader = -1, writer = -1;
    pid_t parent = getpid(), child;
    int pair[2];

    assert(t->argv[0] && t->fd_count <= SANDBOXED_FDS_MAX && ret);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_set(e, -FAULT_NO_PROCESS, "no socket: %s", strerror(errno));
    ours = pair[0];
    its = pair[1];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return err_set(e, -FAULT_NO_PROCESS, "no pipe: %s", strerror(errno));
    reader = pair[0];
    writer = pair[1];
    close(TAKE_FD(writer)); /* reading gives the end, and writing fails */
    if ((child = fork()) < 0)
        return err_set(e, -FAULT_NO_PROCESS, "cannot start a process: %s", strerror(errno));
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
        become_child(t, its, reader);
    }
    *ret = (struct sandboxed_process){
        .pid = child,
        .answer = TAKE_FD(ours),
        .until_ms = t->deadline_ms ? clock_mono_ms() + t->deadline_ms : UINT64_MAX,
    };
    return 0;
}

void sandboxed_end(struct sandboxed_process *p)
{
    if (p->answer >= 0)
        close(TAKE_FD(p->answer));
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        wait_child(p->pid);
        p->pid = 0;
    }
}

/* What the child has reported: its codes are hints, its text is foreign. */
static int take_failure(const struct message *m, size_t size, struct err *e)
{
    size_t text = size - offsetof(struct message, failed.text);
    int32_t code = m->failed.code;

    if (code >= 0 || code <= -(int32_t)FAULT_END)
        code = -FAULT_FORMAT;
    return err_set(e, code, "%.*s", (int)(text < TEXT_MAX ? text : TEXT_MAX), m->failed.text);
}

static int open_for(const struct sandboxed_task *t, const struct message *m, size_t size)
{
    char path[SANDBOXED_PATH_MAX];

    if (!t->file || size - HEAD >= sizeof(path))
        return -ENOENT;
    memcpy(path, m->data, size - HEAD);
    path[size - HEAD] = '\0';
    return t->file(t->ctx, path);
}

/* 0, or -errno. The child waits for it, so there is room. */
static int hand_out(const struct sandboxed_process *p, const struct sandboxed_task *t, const struct message *m,
                    size_t size)
{
    CLEANUP_FD int fd = open_for(t, m, size);
    struct sandboxed_handed h;

    sandboxed_handed_init(&h, fd);
    return sendmsg(p->answer, &h.message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* 0: go on; 1: the answer is whole; negative: it failed. */
static int take(struct sandboxed_process *p, const struct sandboxed_task *t, const struct message *m, size_t size,
                struct buf *ret)
{
    switch (m->kind) {
    case KIND_MISSING:
        p->missing = size >= HEAD + sizeof(m->missing) ? m->missing : 0;
        return 0;
    case KIND_PROGRESS:
        if (t->progress && size >= HEAD + sizeof(m->progress))
            t->progress(t->ctx, m->progress[0], m->progress[1]);
        return 0;
    case KIND_DATA:
        return buf_add(ret, m->data, size - HEAD);
    case KIND_FILE:
        return hand_out(p, t, m, size);
    case KIND_DONE:
        return 1;
    default:
        return -EBADMSG;
    }
}

static int explain(int status, struct err *e)
{
    int number = status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (number == SIGSYS)
        return err_set(e, -FAULT_FORMAT,
                       "the process that parsed it was killed: it made a system call that its sandbox forbids");
    if (number == SIGXCPU)
        return err_set(e, -FAULT_FORMAT, "the process that parsed it was killed: it took too much processor time");
    if (number)
        return err_set(e, -FAULT_FORMAT, "the process that parsed it was killed by signal %d (%s)", number,
                       sigabbrev_np(number) ? sigabbrev_np(number) : "?");
    return err_set(e, -FAULT_FORMAT, "the process that parsed it ended without an answer (status %d)",
                   status >= 0 ? WEXITSTATUS(status) : -1);
}

/* The child ends without our help, or is killed. */
static int reap(struct sandboxed_process *p, struct err *e)
{
    int status = wait_child_until(p->pid, clock_mono_ms() + PATIENCE_MS);

    if (status == -ETIMEDOUT) {
        kill(p->pid, SIGKILL);
        status = wait_child(p->pid);
    }
    p->pid = 0;
    return explain(status, e);
}

/* Waits for the next message. 1; 0: the child's end; negative. */
static int next(const struct sandboxed_process *p, const struct sandboxed_task *t, struct err *e)
{
    for (;;) {
        struct pollfd fd = {.fd = p->answer, .events = POLLIN};
        uint64_t until = clock_mono_ms() + WAIT_MS;
        int r = wait_ready(&fd, 1, until < p->until_ms ? until : p->until_ms);

        if (r < 0)
            return err_set(e, r, "cannot wait: %s", strerror(-r));
        if (t->stop && t->stop(t->ctx))
            return err_set(e, -ECANCELED, "stopped");
        if (r > 0)
            return 1;
        if (clock_mono_ms() >= p->until_ms)
            return err_set(e, -ETIMEDOUT, "it was not done within %llu s", (unsigned long long)(t->deadline_ms / 1000));
    }
}

int sandboxed_collect(struct sandboxed_process *p, const struct sandboxed_task *t, struct buf *ret, struct err *e)
{
    CLEANUP_FREE struct message *m = malloc(sizeof(*m));
    ssize_t n;
    int r = 0;

    assert(p->pid > 0 && p->answer >= 0 && ret);
    if (!m) {
        sandboxed_end(p);
        return err_set(e, -ENOMEM, "out of memory");
    }
    while (r == 0 && (r = next(p, t, e)) == 1) {
        do
            n = recv(p->answer, m, sizeof(*m), 0);
        while (n < 0 && errno == EINTR);
        if (n < HEAD) {
            r = reap(p, e);
        } else if (m->kind == KIND_FAILED && (size_t)n >= offsetof(struct message, failed.text)) {
            r = take_failure(m, (size_t)n, e);
        } else if ((r = take(p, t, m, (size_t)n, ret)) == 1) {
            sandboxed_end(p);
            return 0;
        } else if (r < 0) {
            r = err_set(e, -FAULT_FORMAT,
                        r == -EMSGSIZE ? "its analysis is larger than %d MiB" : "its analysis is no answer",
                        SANDBOXED_ANSWER_MAX >> 20);
        }
    }
    sandboxed_end(p);
    return r;
}

/* The child's end */

static int send_message(const void *m, size_t size)
{
    ssize_t n;

    do
        n = write(SANDBOXED_ANSWER, m, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int sandboxed_enter(const struct sandbox *limits, unsigned fd_count, struct err *e)
{
    struct sandbox s = *limits;
    struct message m = {.kind = KIND_MISSING};
    int type = 0, r;
    socklen_t size = sizeof(type);

    if (getsockopt(SANDBOXED_ANSWER, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
        return err_set(e, -FAULT_USAGE, "salvage starts this command itself");
    s.fd_most = SANDBOXED_FIRST + (int)fd_count - 1;
    if ((r = sandbox_enter(&s, &m.missing, e)) < 0)
        return r;
    return send_message(&m, HEAD + sizeof(m.missing)) < 0 ? err_set(e, -EPIPE, "nothing waits for an answer") : 0;
}

void sandboxed_progress(uint64_t done, uint64_t total)
{
    /* The beginning of a struct message, which is large for the stack of a thread. */
    const struct {
        uint32_t kind;
        uint64_t progress[2];
    } m = {KIND_PROGRESS, {done, total}};

    static_assert(sizeof(m) == HEAD + sizeof(m.progress), "as in struct message");
    send_message(&m, sizeof(m));
}

int sandboxed_file(const char *path)
{
    struct message m = {.kind = KIND_FILE};
    struct sandboxed_handed h;
    const struct cmsghdr *c;
    size_t size = strlen(path);
    ssize_t n;
    int fd;

    if (size >= SANDBOXED_PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(m.data, path, size);
    if (send_message(&m, HEAD + size) < 0)
        return -EPIPE;
    sandboxed_handed_init(&h, 0); /* room for one */
    do
        n = recvmsg(SANDBOXED_ANSWER, &h.message, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(h.result))
        return -EPIPE;
    c = CMSG_FIRSTHDR(&h.message);
    if (h.result != 0 || !c || c->cmsg_type != SCM_RIGHTS)
        return h.result < 0 ? h.result : -EMFILE;
    memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

int sandboxed_write(const void *data, size_t size)
{
    const unsigned char *p = data;
    struct message m = {.kind = KIND_DATA};

    while (size > 0) {
        size_t n = size < PIECE ? size : PIECE;
        int r;

        memcpy(m.data, p, n);
        if ((r = send_message(&m, HEAD + n)) < 0)
            return r;
        p += n;
        size -= n;
    }
    return 0;
}

void sandboxed_exit(int r, const struct err *e)
{
    struct message m = {.kind = r < 0 ? KIND_FAILED : KIND_DONE};
    size_t size = HEAD;

    if (r < 0) {
        size_t text = strnlen(e->msg, TEXT_MAX);

        m.failed.code = r;
        memcpy(m.failed.text, e->msg, text);
        size = offsetof(struct message, failed.text) + text;
    }
    send_message(&m, size);
    _exit(r < 0 ? 1 : 0);
}
