/* SPDX-License-Identifier: Apache-2.0
 *
 * The trigger file, the signal and the socket (attachListener_posix.cpp, signal handling in os.cpp). Their places are
 * the JVM's: its working folder and its /tmp, reached through /proc, and any of it may have been put there by a
 * stranger.
 */
#include "jvm/attach.h"

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

enum {
    LOOK_FIRST_MS = 5,
    LOOK_MOST_MS = 200,
    /* A JVM without heap fails to start its listener ("Exception in VM (AttachListener::init)"), and may manage the
     * next time. */
    AGAIN_MS = 3000,
    NAME_MAX_SIZE = 32
};

int attach_possible(const struct jvm *j, struct err *e)
{
    const uint64_t quit = UINT64_C(1) << (SIGQUIT - 1);
    int pid = (int)j->proc.pid;

    if (j->options.attach_disabled == 1)
        return err_set(e, -FAULT_REFUSED, "JVM %d answers nobody: it runs with -XX:+DisableAttachMechanism", pid);
    if (!(j->status.caught & quit))
        return err_set(e, -FAULT_REFUSED,
                       "JVM %d cannot be asked: it has no handler for SIGQUIT (-Xrs, or it starts up)", pid);
    return 0;
}

/* Asked again right before the signal: a handler that is gone by now would end the process. */
static int send_quit(const struct jvm *j, struct err *e)
{
    struct jvm now = {.proc = j->proc, .options = j->options};
    int pidfd, r = proc_status(&j->proc, &now.status);

    if (r < 0)
        return err_set(e, -ESRCH, "JVM %d has ended", (int)j->proc.pid);
    if ((r = attach_possible(&now, e)) < 0)
        return r;
    /* By descriptor the signal cannot meet another process of the same number; /proc/PID is one (pidfd_send_signal(2)).
     */
    pidfd = (int)syscall(SYS_pidfd_send_signal, j->proc.fd, SIGQUIT, NULL, 0);
    if (pidfd < 0 && (errno == ENOSYS || errno == EBADF || errno == EPERM || errno == EINVAL))
        pidfd = proc_is_alive(&j->proc) ? kill(j->proc.pid, SIGQUIT) : -1;
    if (pidfd < 0)
        return err_set(e, errno == EPERM ? -EACCES : -ESRCH, "JVM %d cannot be signalled: %s", (int)j->proc.pid,
                       strerror(errno));
    return 0;
}

/* Opens a folder of the JVM's: "cwd", or "/tmp" in its root. */
static int open_folder(const struct jvm *j, const char *path)
{
    return proc_openat(&j->proc, path, O_PATH | O_DIRECTORY, 0);
}

/* Where the JVM looks for a file that says somebody wants to talk (its owner must be the JVM's user, or root). Returns
 * the folder's descriptor. */
static int place_trigger(const struct jvm *j, const char *name, struct err *e)
{
    static const char *const folders[] = {".", "/tmp"};
    int last = ENOENT;

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        CLEANUP_FD int folder = open_folder(j, folders[i]);
        CLEANUP_FD int fd = -1;
        struct stat st;

        if (folder < 0) {
            last = -folder;
            continue;
        }
        fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno == EEXIST && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (st.st_uid == j->status.uid || st.st_uid == 0))
            return TAKE_FD(folder);
        if (fd >= 0 && geteuid() == 0 && fchown(fd, j->status.uid, j->status.gid) < 0) {
            last = errno;
            unlinkat(folder, name, 0);
            continue;
        }
        if (fd >= 0)
            return TAKE_FD(folder);
        last = errno;
    }
    return err_set(e, last == EACCES || last == EPERM || last == EROFS ? -EACCES : -last,
                   "JVM %d cannot be asked: %s can be put neither into its working folder nor into its /tmp: %s",
                   (int)j->proc.pid, name, strerror(last));
}

/* Connects to the socket in the JVM's /tmp. -ENOENT: it is not there, or nobody listens any more;
 * -EAGAIN: too many ask already. */
static int connect_to(const struct jvm *j, struct err *e)
{
    CLEANUP_FD int tmp = open_folder(j, "/tmp");
    CLEANUP_FD int fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[NAME_MAX_SIZE];
    struct stat st;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (tmp < 0)
        return tmp == -ENOENT ? -ENOENT : err_set(e, tmp, "the /tmp of JVM %d: %s", (int)j->proc.pid, strerror(-tmp));
    snprintf(name, sizeof(name), ".java_pid%d", (int)j->status.inner_pid);
    if (fstatat(tmp, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -ENOENT;
    if (!S_ISSOCK(st.st_mode) || st.st_uid != j->status.uid)
        return err_set(e, -FAULT_REFUSED, "/tmp/%s of JVM %d is not the JVM's socket (uid %u): somebody else made it",
                       name, (int)j->proc.pid, (unsigned)st.st_uid);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(e, -errno, "no socket: %s", strerror(errno));
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", tmp, name);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno == EAGAIN ? -EAGAIN
               : errno == ECONNREFUSED || errno == ENOENT
                   ? -ENOENT
                   : err_set(e, errno == EPERM ? -EACCES : -errno, "/tmp/%s of JVM %d: %s", name, (int)j->proc.pid,
                             strerror(errno));
    /* Whoever called listen(). 0: a process that we cannot see from our pid namespace. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != j->status.uid ||
        (peer.pid != 0 && peer.pid != j->proc.pid))
        return err_set(e, -FAULT_REFUSED, "/tmp/%s of JVM %d belongs to another process", name, (int)j->proc.pid);
    return TAKE_FD(fd);
}

static int expired(const struct jvm *j, const struct attach_wait *wait, const char *what, struct err *e)
{
    if (!proc_is_alive(&j->proc))
        return err_set(e, -ESRCH, "JVM %d has ended", (int)j->proc.pid);
    if (clock_mono_ms() >= wait->until_ms)
        return err_set(e, -ETIMEDOUT,
                       "JVM %d %s: it is stopped, starts up, or is at a safepoint for long (see its thread dump)",
                       (int)j->proc.pid, what);
    if (wait->stop && wait->stop(wait->ctx))
        return err_set(e, -ECANCELED, "stopped while waiting for JVM %d", (int)j->proc.pid);
    return 0;
}

/* The trigger file while it lies there. */
struct trigger {
    int folder; /* -1: none */
    char name[NAME_MAX_SIZE];
};

static void trigger_done(struct trigger *t)
{
    if (t->folder >= 0) {
        unlinkat(t->folder, t->name, 0);
        close(t->folder);
    }
}

/* Connects; where nobody listens, has the JVM open its socket, and again if nothing came of it. A JVM that listens and
 * is busy is not signalled: it would print its threads. */
static int open_socket(const struct jvm *j, const struct attach_wait *wait, struct err *e)
{
    CLEANUP(trigger_done) struct trigger t = {.folder = -1};
    uint64_t delay = LOOK_FIRST_MS, again = 0, patience = AGAIN_MS;
    int fd, r;

    snprintf(t.name, sizeof(t.name), ".attach_pid%d", (int)j->status.inner_pid);
    while ((fd = connect_to(j, e)) == -ENOENT || fd == -EAGAIN) {
        if (fd == -ENOENT && t.folder < 0 && (t.folder = place_trigger(j, t.name, e)) < 0)
            return t.folder;
        if (fd == -ENOENT && clock_mono_ms() >= again) {
            if ((r = send_quit(j, e)) < 0)
                return r;
            again = clock_mono_ms() + patience;
            patience *= 2;
        }
        if ((r = expired(j, wait, "does not open its attach socket", e)) < 0)
            return r;
        clock_sleep_ms(delay);
        delay = delay * 2 < LOOK_MOST_MS ? delay * 2 : LOOK_MOST_MS;
    }
    return fd;
}

/* Waits until the socket is ready. */
static int wait_ready(const struct jvm *j, int fd, short events, const struct attach_wait *wait, struct err *e)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, LOOK_MOST_MS), r;

        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set(e, -errno, "poll: %s", strerror(errno));
        if ((r = expired(j, wait, "does not answer", e)) < 0)
            return r;
    }
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
        else if (errno != EAGAIN && errno != EINTR)
            return err_set(e, -ESRCH, "JVM %d went away: %s", (int)j->proc.pid, strerror(errno));
        else if ((r = wait_ready(j, fd, POLLOUT, wait, e)) < 0)
            return r;
    }
    return 0;
}

static int receive_all(const struct jvm *j, int fd, struct buf *ret, const struct attach_wait *wait, struct err *e)
{
    char step[16 * 1024];

    for (;;) {
        ssize_t n = recv(fd, step, sizeof(step), 0);
        int r = 0;

        if (n == 0)
            return 0;
        if (n > 0)
            r = buf_add(ret, step, (size_t)n);
        else if (errno == EAGAIN)
            r = wait_ready(j, fd, POLLIN, wait, e);
        else if (errno != EINTR)
            return err_set(e, -ESRCH, "JVM %d went away: %s", (int)j->proc.pid, strerror(errno));
        if (r == -EMSGSIZE || (n > 0 && r < 0))
            return err_set(e, r, "JVM %d answers with more than can be held", (int)j->proc.pid);
        if (r < 0)
            return r;
    }
}

int attach_ask(const struct jvm *j, const char *command, const char *const args[ATTACH_ARGS],
               const struct attach_wait *wait, struct buf *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf request = {0};
    CLEANUP(buf_done) struct buf answer = {0};
    CLEANUP_FD int fd = -1;
    int r, result;
    size_t text;

    if ((r = attach_request(&request, command, args)) < 0)
        return err_set(e, r, "%s: cannot be asked of a JVM: %s", command, strerror(-r));
    if ((r = attach_possible(j, e)) < 0)
        return r;
    fd = r = open_socket(j, wait, e);
    if (r < 0 || (r = send_all(j, fd, &request, wait, e)) < 0 || (r = receive_all(j, fd, &answer, wait, e)) < 0)
        return r;
    if (attach_answer(answer.data, answer.size, &result, &text) < 0)
        return answer.size == 0
                   ? err_set(e, -ESRCH, "JVM %d closed the connection without an answer", (int)j->proc.pid)
                   : err_set(e, -FAULT_FORMAT, "JVM %d answers with something else than a result", (int)j->proc.pid);
    if (result != 0)
        return err_set(e, -EPROTO, "JVM %d refuses %s (%d): %.200s", (int)j->proc.pid, command, result,
                       answer.data + text);
    r = buf_add(ret, answer.data + text, answer.size - text);
    return r < 0 ? err_set(e, r, "out of memory") : 0;
}
