/* SPDX-License-Identifier: Apache-2.0
 *
 * The trigger file, the signal and the socket (attachListener_posix.cpp, signal handling in os.cpp). Their places are
 * the JVM's: its working folder and its /tmp, reached through /proc, and any of it may have been put there by a
 * stranger.
 */
#include "hotspot/attach_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/wait.h"
#include "hotspot/attach_obstacle.h"
#include "linux/become.h"

enum {
    LOOK_FIRST_MS = 5,
    LOOK_MOST_MS = 200,
    /* A JVM without heap fails to start its listener ("Exception in VM (AttachListener::init)"), and may manage the
     * next time. */
    AGAIN_MS = 3000,
    SILENCE_MS = 1500,  /* from the signal on; then the reason is looked for */
    STARTUP_MS = 10000, /* a JVM that is younger may get its handler yet */
    NAME_MAX_SIZE = 32
};

/* Whether SIGQUIT may be sent. */
static int may_signal(const struct jvm *j, struct err *e)
{
    const uint64_t quit = UINT64_C(1) << (SIGQUIT - 1);
    int pid = (int)j->proc.pid;

    if (j->options.attach_disabled == 1)
        return err_set(e, -FAULT_REFUSED, "JVM %d cannot be asked: it runs with -XX:+DisableAttachMechanism", pid);
    if (!(j->status.caught & quit))
        return err_set(e, -FAULT_REFUSED,
                       "JVM %d cannot be asked: it has no handler for SIGQUIT (-Xrs, or it starts up), and no attach "
                       "socket in its /tmp: start it without -Xrs, or with -XX:+StartAttachListener beside it",
                       pid);
    return 0;
}

int attach_patience(const struct jvm *j, const struct attach_wait *wait, uint64_t *silent_since_ms, const char *what,
                    struct err *e)
{
    struct proc_status now;
    uint64_t files, limit;
    int pid = (int)j->proc.pid;

    if (proc_status(&j->proc, &now) < 0 || now.state == 'Z' || now.state == 'X')
        return err_set(e, -ESRCH, "JVM %d has ended", pid);
    if (wait->stop && wait->stop(wait->ctx))
        return err_set(e, -ECANCELED, "stopped while waiting for JVM %d", pid);
    if (wait->alive && wait->alive(wait->ctx))
        *silent_since_ms = clock_mono_ms();
    if (clock_mono_ms() - *silent_since_ms < wait->timeout_ms)
        return 0;
    if (now.state == 'T' || now.state == 't')
        return err_set(e, -ETIMEDOUT, "JVM %d %s within %.1f s: it is stopped (by SIGSTOP, or by a debugger)", pid,
                       what, (double)wait->timeout_ms / 1000);
    if (attach_obstacle_descriptors(j, &files, &limit))
        return err_set(e, -ETIMEDOUT,
                       "JVM %d %s within %.1f s: it has no file descriptor left, %" PRIu64 " of %" PRIu64
                       " (ulimit -n) are open; raise the limit with prlimit --pid %d --nofile=N",
                       pid, what, (double)wait->timeout_ms / 1000, files, limit, pid);
    return err_set(e, -ETIMEDOUT,
                   "JVM %d %s within %.1f s: it starts up, is at a safepoint for long (a collection, a dump), or its "
                   "container is frozen: try a longer --timeout",
                   pid, what, (double)wait->timeout_ms / 1000);
}

int attach_possible(const struct jvm *j, struct err *e)
{
    char path[NAME_MAX_SIZE + 8];
    CLEANUP_FD int fd = -1;

    if (j->options.attach_disabled != 1) {
        snprintf(path, sizeof(path), "/tmp/.java_pid%d", (int)j->status.inner_pid);
        fd = proc_openat(&j->proc, path, O_PATH | O_NOFOLLOW, 0);
    }
    return fd >= 0 ? 0 : may_signal(j, e);
}

/* One connection in the making. */
struct approach {
    const struct jvm *j;
    const struct attach_wait *wait;
    int cwd, tmp; /* the JVM's folders, opened before any change of identity; -1 without */
    int cwd_error, tmp_error;
    int triggered; /* folder where the trigger file lies; -1 */
    char trigger[NAME_MAX_SIZE];
    struct attach_fullness fullness;
    uint64_t signalled_ms, again_ms, patience_ms; /* the first signal; when the next one is due, and its distance */
};

/* A folder of the JVM's, as a descriptor or the error. */
static int open_folder(const struct jvm *j, const char *path, int *ret_error)
{
    int fd = proc_openat(&j->proc, path, O_PATH | O_DIRECTORY, 0);

    *ret_error = fd < 0 ? -fd : 0;
    return fd < 0 ? -1 : fd;
}

static void approach_init(struct approach *a, const struct jvm *j, const struct attach_wait *wait)
{
    *a = (struct approach){.j = j, .wait = wait, .triggered = -1};
    a->cwd = open_folder(j, ".", &a->cwd_error);
    a->tmp = open_folder(j, "/tmp", &a->tmp_error);
    snprintf(a->trigger, sizeof(a->trigger), ".attach_pid%d", (int)j->status.inner_pid);
}

static void approach_done(struct approach *a)
{
    if (a->triggered >= 0)
        unlinkat(a->triggered, a->trigger, 0);
    if (a->cwd >= 0)
        close(a->cwd);
    if (a->tmp >= 0)
        close(a->tmp);
}

/* Of root that could not become the JVM's user; else nothing. */
static const char *missing_right(const struct jvm *j)
{
    return geteuid() == 0 && j->status.uid != 0 ? " (root needs CAP_SETUID and CAP_SETGID to act as its user)" : "";
}

/* Asked again right before the signal: a handler that is gone by now would end the process. */
static int send_quit(const struct approach *a, struct err *e)
{
    const struct proc *p = &a->j->proc;
    struct jvm now = {.proc = *p, .options = a->j->options};
    int sent, r = proc_status(p, &now.status);

    if (r < 0)
        return err_set(e, -ESRCH, "JVM %d has ended", (int)p->pid);
    if ((r = may_signal(&now, e)) < 0 || (r = attach_obstacle_limit(a->j, e)) < 0)
        return r;
    /* By descriptor the signal cannot meet another process of the same number; /proc/PID is one (pidfd_send_signal(2)).
     */
    sent = (int)syscall(SYS_pidfd_send_signal, p->fd, SIGQUIT, NULL, 0);
    if (sent < 0 && (errno == ENOSYS || errno == EBADF || errno == EPERM || errno == EINVAL))
        sent = proc_is_alive(p) ? kill(p->pid, SIGQUIT) : -1;
    if (sent < 0)
        return err_set(e, errno == EPERM ? -EACCES : -ESRCH, "JVM %d cannot be signalled: %s%s", (int)p->pid,
                       strerror(errno), errno == EPERM ? missing_right(a->j) : "");
    return 0;
}

/* 0, or what keeps the trigger file out of a folder. Its owner must be the JVM's user, or root. */
static int place_trigger_in(struct approach *a, int folder)
{
    CLEANUP_FD int fd = openat(folder, a->trigger, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    const struct proc_status *s = &a->j->status;
    struct stat st;

    if (fd < 0 && errno == EEXIST && fstatat(folder, a->trigger, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (st.st_uid == s->uid || st.st_uid == 0))
        return 0;
    if (fd < 0)
        return errno;
    /* Without CAP_CHOWN it stays root's: JDK 11 and newer take that, too. */
    if (geteuid() == 0 && s->uid != 0 && fchown(fd, s->uid, s->gid) < 0 && errno != EPERM) {
        int error = errno;

        unlinkat(folder, a->trigger, 0);
        return error;
    }
    return 0;
}

/* The folders in which the JVM looks for the trigger file. */
static int place_trigger(struct approach *a, struct err *e)
{
    int error = a->cwd_error, in_cwd;

    if (a->cwd >= 0 && (error = place_trigger_in(a, a->cwd)) == 0) {
        a->triggered = a->cwd;
        return 0;
    }
    in_cwd = error;
    error = a->tmp_error;
    if (a->tmp >= 0 && (error = place_trigger_in(a, a->tmp)) == 0) {
        a->triggered = a->tmp;
        return 0;
    }
    if (!proc_is_alive(&a->j->proc))
        return err_set(e, -ESRCH, "JVM %d has ended", (int)a->j->proc.pid);
    return err_set(e, error == EACCES || error == EPERM || error == EROFS ? -EACCES : -error,
                   "JVM %d cannot be asked: %s can be put neither into its working folder (%s) nor into its /tmp (%s)",
                   (int)a->j->proc.pid, a->trigger, strerror(in_cwd), strerror(error));
}

/* A container with a read-only root often has a /tmp that is not writable: the JVM would never answer. */
static int socket_has_place(const struct approach *a, struct err *e)
{
    if (a->tmp < 0 || faccessat(a->tmp, ".", W_OK | X_OK, 0) == 0 || (errno != EROFS && errno != EACCES))
        return 0;
    return err_set(e, -FAULT_REFUSED,
                   "JVM %d cannot be asked: it cannot open a socket in its /tmp (%s): give its container a /tmp of its "
                   "own",
                   (int)a->j->proc.pid, strerror(errno));
}

/* Connects to the socket in the JVM's /tmp. -ENOENT: it is not there, or has no listener any more;
 * -EAGAIN: too many ask already. */
static int connect_to(const struct approach *a, struct err *e)
{
    CLEANUP_FD int fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct jvm *j = a->j;
    int pid = (int)j->proc.pid;
    char name[NAME_MAX_SIZE];
    struct stat st;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (a->tmp < 0)
        return err_set(e, -a->tmp_error, "JVM %d cannot be asked: its socket would lie in its /tmp: %s", pid,
                       strerror(a->tmp_error));
    snprintf(name, sizeof(name), ".java_pid%d", (int)j->status.inner_pid);
    if (fstatat(a->tmp, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -ENOENT;
    if (!S_ISSOCK(st.st_mode) || st.st_uid != j->status.uid)
        return err_set(e, -FAULT_REFUSED,
                       "/tmp/%s of JVM %d is not the JVM's socket (uid %u): another user made it, and the JVM can't "
                       "replace it; remove it",
                       name, pid, (unsigned)st.st_uid);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(e, -errno, "no socket: %s", strerror(errno));
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", a->tmp, name);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno == EAGAIN ? -EAGAIN
               : errno == ECONNREFUSED || errno == ENOENT
                   ? -ENOENT
                   : err_set(e, errno == EPERM ? -EACCES : -errno, "/tmp/%s of JVM %d: %s%s", name, pid,
                             strerror(errno), errno == EACCES ? missing_right(j) : "");
    /* The process that called listen(). 0: a process that we cannot see from our pid namespace. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != j->status.uid ||
        (peer.pid != j->proc.pid && (peer.pid != 0 || j->proc.hidden)))
        return err_set(e, -FAULT_REFUSED, "/tmp/%s of JVM %d belongs to another process: remove it", name, pid);
    return TAKE_FD(fd);
}

/* A JVM that has just been started has no handler for the signal yet; the signal would end it. */
static int await_handler(const struct approach *a, uint64_t *since, struct err *e)
{
    struct jvm now = {.proc = a->j->proc, .status = a->j->status, .options = a->j->options};
    int r;

    while ((r = may_signal(&now, e)) < 0) {
        int64_t age_ns = a->j->started_ns ? clock_wall_ns() - a->j->started_ns : INT64_MAX;
        struct err why;

        if (now.options.attach_disabled == 1 || age_ns > (int64_t)STARTUP_MS * 1000000 ||
            attach_patience(a->j, a->wait, since, "starts up", &why) < 0)
            return r;
        clock_sleep_ms(LOOK_FIRST_MS);
        if (proc_status(&a->j->proc, &now.status) < 0)
            return err_set(e, -ESRCH, "JVM %d has ended", (int)a->j->proc.pid);
    }
    return 0;
}

/* Without a listener: has the JVM open its socket, and repeats that if it did not. */
static int trigger(struct approach *a, struct err *e)
{
    uint64_t now = clock_mono_ms();
    int r;

    if (a->triggered < 0 && ((r = socket_has_place(a, e)) < 0 || (r = place_trigger(a, e)) < 0))
        return r;
    if (a->signalled_ms > 0 && now - a->signalled_ms > SILENCE_MS &&
        (r = attach_obstacle_silence(a->j, &a->fullness, e)) < 0)
        return r;
    if (now < a->again_ms)
        return 0;
    if ((r = send_quit(a, e)) < 0)
        return r;
    a->signalled_ms = a->signalled_ms ? a->signalled_ms : now;
    a->patience_ms = a->patience_ms ? a->patience_ms * 2 : AGAIN_MS;
    a->again_ms = now + a->patience_ms;
    return 0;
}

/* A socket that is there is used without any signal (-Xrs has no handler for it); and a JVM that listens and is busy is
 * not signalled: it would print its threads. */
static int open_socket(struct approach *a, struct err *e)
{
    uint64_t delay = LOOK_FIRST_MS, since = clock_mono_ms();
    int fd, r;

    while ((fd = connect_to(a, e)) == -ENOENT || fd == -EAGAIN) {
        if (fd == -ENOENT && ((r = await_handler(a, &since, e)) < 0 || (r = trigger(a, e)) < 0))
            return r;
        if ((r = attach_patience(a->j, a->wait, &since, "does not open its attach socket", e)) < 0)
            return r;
        clock_sleep_ms(delay);
        delay = delay * 2 < LOOK_MOST_MS ? delay * 2 : LOOK_MOST_MS;
    }
    return fd;
}

/* --- under the JVM's identity ---------------------------------------------------------------------------------------
 */

/* What the child reports; its descriptor is passed along. */
struct report {
    int result;
    struct err e;
};

static bool parent_is_gone(void *ctx)
{
    struct pollfd p = {.fd = *(int *)ctx, .events = 0};

    return poll(&p, 1, 0) > 0;
}

static void send_report(int channel, int fd, const struct report *report)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec data = {.iov_base = (void *)report, .iov_len = sizeof(*report)};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *c;

        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    sendmsg(channel, &m, MSG_NOSIGNAL);
}

static int receive_report(int channel, struct report *ret, int *ret_fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec data = {.iov_base = ret, .iov_len = sizeof(*ret)};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t n;

    do
        n = recvmsg(channel, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    *ret_fd = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); n >= 0 && c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
    return n == (ssize_t)sizeof(*ret) ? 0 : -EIO;
}

static void connect_in_child(struct approach *a, int channel)
{
    struct attach_wait wait = {.timeout_ms = a->wait->timeout_ms, .stop = parent_is_gone, .ctx = &channel};
    const struct attach_wait *parents = a->wait;
    struct report report = {0};
    CLEANUP_FD int fd = -1;

    signal(SIGINT, SIG_IGN); /* the parent ends us, and the trigger file must go */
    signal(SIGTERM, SIG_IGN);
    a->wait = &wait;
    /* Where we may not (root without the capability), the JVM is asked as we are: JDK 11 and newer answer root, too. */
    (void)become_user(a->j->status.uid, a->j->status.gid);
    fd = report.result = open_socket(a, &report.e);
    a->wait = parents;
    send_report(channel, fd, &report);
}

static int connect_as_jvm(struct approach *a, struct err *e)
{
    CLEANUP_FD int ours = -1, its = -1;
    struct report report = {0};
    int channel[2], fd = -1;
    bool stopped = false;
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
        return err_set(e, -errno, "no socket: %s", strerror(errno));
    ours = channel[0];
    its = channel[1];
    child = fork();
    if (child < 0)
        return err_set(e, -errno, "no process to ask JVM %d with: %s", (int)a->j->proc.pid, strerror(errno));
    if (child == 0) {
        close(TAKE_FD(ours));
        connect_in_child(a, its);
        approach_done(a);
        _exit(0);
    }
    close(TAKE_FD(its));
    for (struct pollfd p = {.fd = ours, .events = POLLIN}; poll(&p, 1, LOOK_MOST_MS) <= 0 && !stopped;)
        stopped = a->wait->stop && a->wait->stop(a->wait->ctx);
    if (stopped)
        report.result = err_set(&report.e, -ECANCELED, "stopped while waiting for JVM %d", (int)a->j->proc.pid);
    else if (receive_report(ours, &report, &fd) < 0)
        report.result = err_set(&report.e, -EIO, "the process that was to ask JVM %d died", (int)a->j->proc.pid);
    close(TAKE_FD(ours));
    wait_child(child);
    if (report.result >= 0 && fd < 0)
        report.result = err_set(&report.e, -EMFILE, "too many open files");
    if (report.result < 0) {
        *e = report.e;
        return report.result;
    }
    return fd;
}

int attach_socket(const struct jvm *j, const struct attach_wait *wait, struct err *e)
{
    CLEANUP(approach_done) struct approach a;
    bool same = geteuid() == j->status.uid && getegid() == j->status.gid;

    approach_init(&a, j, wait);
    return same || geteuid() != 0 ? open_socket(&a, e) : connect_as_jvm(&a, e);
}
