/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepts, forks, reaps.
 */
#include "node/core_server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/core_connection.h"
#include "node/core_handler.h"
#include "node/core_home.h"
#include "node/core_kernel.h"

enum { BACKLOG = 4096, CHILDREN_MAX = 64, SINCE_MAJOR = 6, SINCE_SOCKET = 16, SINCE_REQUEST = 17, DECIMAL = 10 };

static const char SOCKET[] = "socket";

/* "@@", "@" or NULL. An older kernel takes any pattern, and would make files of that name. */
static const char *way_of_kernel(void)
{
    struct utsname u;
    unsigned long major, minor;
    char *end;

    if (uname(&u) < 0)
        return NULL;
    major = strtoul(u.release, &end, DECIMAL);
    minor = *end == '.' ? strtoul(end + 1, &end, DECIMAL) : 0;
    if (major > SINCE_MAJOR || (major == SINCE_MAJOR && minor >= SINCE_REQUEST))
        return "@@";
    return major == SINCE_MAJOR && minor == SINCE_SOCKET ? "@" : NULL;
}

bool core_server_pattern_is(const char *pattern, const char *dir)
{
    size_t size = strlen(dir);

    pattern += strspn(pattern, "@");
    return strncmp(pattern, dir, size) == 0 && pattern[size] == '/' && text_eq(pattern + size + 1, SOCKET);
}

static int open_socket(const struct core_server *s, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", s->dir, SOCKET) >= (int)sizeof(address.sun_path))
        return err_set(e, -FAULT_USAGE, "--dir: '%s' is too long for a socket's path", s->dir);
    unlinkat(s->home, SOCKET, 0); /* of one that was killed */
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        fchmodat(s->home, SOCKET, S_IRUSR | S_IWUSR, 0) < 0 || listen(fd, BACKLOG) < 0)
        return err_set(e, -errno, "%s/%s: %s", s->dir, SOCKET, strerror(errno));
    return TAKE_FD(fd);
}

/* Puts the installed pattern back, unless somebody else has changed it. */
static void put_back(const struct core_server *s)
{
    struct core_kernel now, installed = {.pipe_limit = 0};
    struct err e;

    if (core_kernel_read(s->proc, &now, &e) < 0 || !core_server_pattern_is(now.pattern, s->dir))
        return;
    memcpy(installed.pattern, s->config->ours, sizeof(installed.pattern));
    installed.pipe_limit = now.pipe_limit;
    core_kernel_restore(s->proc, &installed, &e);
}

/* A child that waits until every copy of the loop's end of the pipe is closed. *ret_end: the loop's. */
static int start_restorer(const struct core_server *s, int listening, int *ret_end, struct err *e)
{
    int ends[2];
    char byte;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0 || (child = fork()) < 0)
        return err_set(e, -FAULT_NO_PROCESS, "cannot start a process: %s", strerror(errno));
    if (child == 0) {
        close(ends[1]);
        close(listening);
        setsid(); /* a terminal's SIGINT is for the loop */
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
            continue;
        put_back(s);
        _exit(0);
    }
    close(ends[0]);
    *ret_end = ends[1];
    return 0;
}

static int answer(void *ctx, bool take, struct err *e)
{
    return core_connection_answer(ctx, take, e);
}

static void handle(const struct core_server *s, const char *way, int fd)
{
    struct core_connection c = {.fd = fd, .requests = text_eq(way, "@@")};
    struct core_offer offer = {.home = s->home,
                               .config = s->config,
                               .choices = s->choices,
                               .choice_count = s->choice_count,
                               .crash = &c.crash,
                               .in = fd,
                               .answer = answer,
                               .ctx = &c};
    struct err e = {0};
    int r = core_connection_open(&c, &e);

    if (r < 0) {
        log_event(EVENT_CORE_LOST, LOG_UINT("pid", (uint64_t)c.crash.pid), LOG_STR("fault", fault_find(r)->name),
                  LOG_STR("error", e.msg));
        return;
    }
    core_handle(&offer, &e);
}

static void reap(unsigned *children)
{
    while (*children > 0 && waitpid(-1, NULL, WNOHANG) > 0)
        (*children)--;
}

struct loop {
    const struct core_server *s;
    const char *way;
    int listening, signals, life; /* life: the restorer's pipe */
    unsigned children;
};

/* All that wait are taken at once: one that is not read by now must not wait for others. */
static void accept_all(struct loop *l)
{
    struct sockaddr_un address;
    socklen_t size;
    int fd;

    while (size = sizeof(address),
           (fd = accept4(l->listening, (struct sockaddr *)&address, &size, SOCK_CLOEXEC)) >= 0) {
        pid_t child = l->children < CHILDREN_MAX ? fork() : -1;

        if (child == 0) {
            close(l->listening);
            close(l->signals);
            close(l->life);
            sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
            handle(l->s, l->way, fd);
            _exit(0);
        }
        if (child < 0)
            log_event(EVENT_CORE_LIMITED, LOG_STR("limit", "64 processes"));
        else
            l->children++;
        close(fd);
    }
}

static void run(struct loop *l)
{
    struct signalfd_siginfo info;

    for (;;) {
        struct pollfd fds[] = {{.fd = l->listening, .events = POLLIN}, {.fd = l->signals, .events = POLLIN}};

        if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
            return;
        while (read(l->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
            if (info.ssi_signo != SIGCHLD)
                return;
        reap(&l->children);
        accept_all(l);
    }
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int core_server_run(const struct core_server *s, struct err *e)
{
    struct loop l = {.s = s, .way = way_of_kernel(), .life = -1};
    CLEANUP_FD int listening = -1, signals = -1, life = -1;
    struct core_kernel wanted = {0};
    int r;

    assert(s->home >= 0 && s->config && s->choices && s->choice_count > 0);
    if (!l.way)
        return err_set(e, -EOPNOTSUPP,
                       "this kernel knows no sockets for cores (Linux 6.16 does): the handler that core "
                       "install has set takes them");
    if ((r = core_kernel_read(s->proc, &wanted, e)) < 0 || (r = listening = open_socket(s, e)) < 0)
        return r;
    if ((r = start_restorer(s, listening, &life, e)) < 0)
        return r;
    if ((signals = open_signals()) < 0)
        return err_set(e, -errno, "no signals: %s", strerror(errno));
    snprintf(wanted.pattern, sizeof(wanted.pattern), "%s%.100s/%s", l.way, s->dir, SOCKET);
    if ((r = core_kernel_write(s->proc, &wanted, e)) < 0)
        return r;
    l.listening = listening;
    l.signals = signals;
    l.life = life;
    log_event(EVENT_CORE_SERVING, LOG_STR("pattern", wanted.pattern));
    run(&l);
    put_back(s);
    accept_all(&l); /* what the kernel has connected meanwhile */
    log_event(EVENT_STOPPED);
    return 0;
}
