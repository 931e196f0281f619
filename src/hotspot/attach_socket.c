/* SPDX-License-Identifier: Apache-2.0
 *
 * The trigger file, the signal and the socket (attachListener_posix.cpp, signal handling in os.cpp). They lie in the
 * JVM's working folder and its /tmp, reached through /proc; another user may have put files of these names there.
 */
#include "hotspot/attach_socket.h"

#include <assert.h>
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
#include "hotspot/attach_child.h"
#include "hotspot/attach_obstacle.h"

enum {
    LOOK_FIRST_MS = 5,
    LOOK_MOST_MS = 200,
    /* With a full heap the JVM fails to start its listener ("Exception in VM (AttachListener::init)"), and may succeed
     * the next time. */
    AGAIN_MS = 3000,
    SILENCE_MS = 1500,  /* after the signal; then the reason is looked for */
    STARTUP_MS = 10000, /* a younger JVM may not have its SIGQUIT handler yet */
    NAME_MAX_SIZE = 32
};

/* Whether SIGQUIT may be sent. */
static int may_signal(const struct jvm *j, struct err *e)
{
    const uint64_t quit = UINT64_C(1) << (SIGQUIT - 1);
    int pid = (int)j->proc.pid;

    if (j->options.attach_disabled == 1)
        return err_set(e, -FAULT_REFUSED, "JVM %d: cannot attach: it runs with -XX:+DisableAttachMechanism", pid);
    if (!(j->status.caught & quit))
        return err_set(e, -FAULT_REFUSED,
                       "JVM %d: cannot attach: it has no handler for SIGQUIT (-Xrs, or it is starting up) and no "
                       "attach socket in its /tmp: start it without -Xrs, or with -XX:+StartAttachListener as well",
                       pid);
    return 0;
}

int attach_check_wait(const struct jvm *j, const struct attach_wait *wait, uint64_t *silent_since_ms, const char *what,
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
                   "JVM %d %s within %.1f s: it is starting up, at a long safepoint (a collection, a dump), or its "
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

/* An attempt to connect. */
struct attempt {
    const struct jvm *j;
    const struct attach_wait *wait;
    int cwd, tmp; /* the JVM's folders, opened before any change of identity; -1: not open */
    int cwd_error, tmp_error;
    int triggered; /* the folder that we put the trigger file into: cwd or tmp; -1: none */
    char trigger[NAME_MAX_SIZE];
    struct attach_fullness fullness;
    uint64_t signalled_ms, again_ms,
        patience_ms; /* of the first signal; when the next one is due; the delay before it */
};

/* Opens a folder of the JVM; -1 with the errno value in *ret_error. */
static int open_folder(const struct jvm *j, const char *path, int *ret_error)
{
    int fd = proc_openat(&j->proc, path, O_PATH | O_DIRECTORY, 0);

    *ret_error = fd < 0 ? -fd : 0;
    return fd < 0 ? -1 : fd;
}

static void attempt_init(struct attempt *a, const struct jvm *j, const struct attach_wait *wait)
{
    *a = (struct attempt){.j = j, .wait = wait, .triggered = -1};
    a->cwd = open_folder(j, ".", &a->cwd_error);
    a->tmp = open_folder(j, "/tmp", &a->tmp_error);
    snprintf(a->trigger, sizeof(a->trigger), ".attach_pid%d", (int)j->status.inner_pid);
}

static void attempt_done(struct attempt *a)
{
    if (a->triggered >= 0)
        unlinkat(a->triggered, a->trigger, 0);
    if (a->cwd >= 0)
        close(a->cwd);
    if (a->tmp >= 0)
        close(a->tmp);
}

/* A hint for root without the capabilities to become the JVM's user; else "". */
static const char *missing_right(const struct jvm *j)
{
    return geteuid() == 0 && j->status.uid != 0 ? " (root needs CAP_SETUID and CAP_SETGID to act as its user)" : "";
}

/* Checked again right before the signal: without a handler it would end the process. */
static int send_quit(const struct attempt *a, struct err *e)
{
    const struct proc *p = &a->j->proc;
    struct jvm now = {.proc = *p, .options = a->j->options};
    int sent, r = proc_status(p, &now.status);

    if (r < 0)
        return err_set(e, -ESRCH, "JVM %d has ended", (int)p->pid);
    if ((r = may_signal(&now, e)) < 0 || (r = attach_obstacle_limit(a->j, e)) < 0)
        return r;
    /* By descriptor the signal cannot hit another process of the same pid; /proc/PID is one (pidfd_send_signal(2)). */
    sent = (int)syscall(SYS_pidfd_send_signal, p->fd, SIGQUIT, NULL, 0);
    if (sent < 0 && (errno == ENOSYS || errno == EBADF || errno == EPERM || errno == EINVAL))
        sent = proc_is_alive(p) ? kill(p->pid, SIGQUIT) : -1;
    if (sent < 0)
        return err_set(e, errno == EPERM ? -EACCES : -ESRCH, "JVM %d: cannot send SIGQUIT: %s%s", (int)p->pid,
                       strerror(errno), errno == EPERM ? missing_right(a->j) : "");
    return 0;
}

/* Makes the trigger file in a folder; 0 or an errno value. Its owner must be the JVM's user, or root. */
static int place_trigger_in(struct attempt *a, int folder)
{
    CLEANUP_FD int fd = openat(folder, a->trigger, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    const struct proc_status *s = &a->j->status;
    struct stat st;

    if (fd < 0 && errno == EEXIST && fstatat(folder, a->trigger, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (st.st_uid == s->uid || st.st_uid == 0))
        return 0;
    if (fd < 0)
        return errno;
    /* Without CAP_CHOWN the file stays root's: JDK 11 and newer accept that, too. */
    if (geteuid() == 0 && s->uid != 0 && fchown(fd, s->uid, s->gid) < 0 && errno != EPERM) {
        int error = errno;

        unlinkat(folder, a->trigger, 0);
        return error;
    }
    return 0;
}

/* The JVM looks for the trigger file in its working folder, then in its /tmp. */
static int place_trigger(struct attempt *a, struct err *e)
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
                   "JVM %d: cannot attach: %s can be made neither in its working folder (%s) nor in its /tmp (%s)",
                   (int)a->j->proc.pid, a->trigger, strerror(in_cwd), strerror(error));
}

/* In a container with a read-only root /tmp is often not writable: the JVM could never open its socket. */
static int socket_has_place(const struct attempt *a, struct err *e)
{
    if (a->tmp < 0 || faccessat(a->tmp, ".", W_OK | X_OK, 0) == 0 || (errno != EROFS && errno != EACCES))
        return 0;
    return err_set(
        e, -FAULT_REFUSED,
        "JVM %d: cannot attach: it cannot open a socket in its /tmp (%s): give its container a writable /tmp",
        (int)a->j->proc.pid, strerror(errno));
}

/* Connects to the socket in the JVM's /tmp. -ENOENT: it does not exist, or nothing listens on it any more; -EAGAIN: its
 * queue is full. */
static int connect_to(const struct attempt *a, struct err *e)
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
        return err_set(e, -a->tmp_error, "JVM %d: cannot attach: cannot open its /tmp, where its socket is: %s", pid,
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
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        if (errno == EAGAIN || errno == ECONNREFUSED || errno == ENOENT)
            return errno == EAGAIN ? -EAGAIN : -ENOENT;
        return err_set(e, errno == EPERM ? -EACCES : -errno, "/tmp/%s of JVM %d: %s%s", name, pid, strerror(errno),
                       errno == EACCES ? missing_right(j) : "");
    }
    /* peer.pid is the process that called listen(); 0 if it is not visible in our pid namespace. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != j->status.uid ||
        (peer.pid != j->proc.pid && (peer.pid != 0 || j->proc.hidden)))
        return err_set(e, -FAULT_REFUSED, "/tmp/%s of JVM %d belongs to another process: remove it", name, pid);
    return TAKE_FD(fd);
}

/* A JVM that has just started has no handler for the signal yet, and would be ended by it. */
static int await_handler(const struct attempt *a, uint64_t *since, struct err *e)
{
    struct jvm now = {.proc = a->j->proc, .status = a->j->status, .options = a->j->options};
    int r;

    while ((r = may_signal(&now, e)) < 0) {
        int64_t age_ns = a->j->started_ns ? clock_wall_ns() - a->j->started_ns : INT64_MAX;
        struct err why;

        if (now.options.attach_disabled == 1 || age_ns > (int64_t)STARTUP_MS * 1000000 ||
            attach_check_wait(a->j, a->wait, since, "is still starting up", &why) < 0)
            return r;
        clock_sleep_ms(LOOK_FIRST_MS);
        if (proc_status(&a->j->proc, &now.status) < 0)
            return err_set(e, -ESRCH, "JVM %d has ended", (int)a->j->proc.pid);
    }
    return 0;
}

/* Makes a JVM without a listener open its socket: trigger file and signal, repeated with growing delays. */
static int trigger(struct attempt *a, struct err *e)
{
    uint64_t now = clock_mono_ms();
    int r;

    if (a->triggered < 0 && ((r = socket_has_place(a, e)) < 0 || (r = place_trigger(a, e)) < 0))
        return r;
    if (a->signalled_ms > 0 && now - a->signalled_ms > SILENCE_MS &&
        (r = attach_obstacle_exhausted(a->j, &a->fullness, e)) < 0)
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

/* A socket that exists is used without a signal: with -Xrs there is no handler, and a busy JVM that listens already
 * would print its threads. */
static int open_socket(struct attempt *a, struct err *e)
{
    uint64_t delay = LOOK_FIRST_MS, since = clock_mono_ms();
    int fd, r;

    while ((fd = connect_to(a, e)) == -ENOENT || fd == -EAGAIN) {
        if (fd == -ENOENT && ((r = await_handler(a, &since, e)) < 0 || (r = trigger(a, e)) < 0))
            return r;
        if ((r = attach_check_wait(a->j, a->wait, &since, "does not open its attach socket", e)) < 0)
            return r;
        clock_sleep_ms(delay);
        delay = delay * 2 < LOOK_MOST_MS ? delay * 2 : LOOK_MOST_MS;
    }
    return fd;
}

/* In a child with the JVM's identity; removes the trigger file. */
static int connect_in_child(void *ctx, const struct attach_wait *wait, struct err *e)
{
    struct attempt *a = ctx;
    int fd;

    a->wait = wait;
    fd = open_socket(a, e);
    attempt_done(a);
    return fd;
}

int attach_socket(const struct jvm *j, const struct attach_wait *wait, struct err *e)
{
    assert(j->proc.fd >= 0 && wait);
    CLEANUP(attempt_done) struct attempt a;
    bool same = geteuid() == j->status.uid && getegid() == j->status.gid;

    attempt_init(&a, j, wait);
    if (same || geteuid() != 0)
        return open_socket(&a, e);
    return attach_child_connect(&(struct attach_child){.j = j, .wait = wait, .connect = connect_in_child, .ctx = &a},
                                e);
}
