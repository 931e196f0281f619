/* SPDX-License-Identifier: Apache-2.0
 *
 * Only async-signal-safe functions between fork and exec.
 */
#include "linux/launch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rlimits.h"

void launch_block_signals(struct launch_signals *ret_before, sigset_t *ret_waiting)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    struct sigaction normal = {.sa_handler = SIG_DFL};

    sigfillset(ret_waiting);
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        sigdelset(ret_waiting, own[i]);
    sigprocmask(SIG_SETMASK, ret_waiting, &ret_before->mask);
    /* Our parent may have set it to SIG_IGN: then children could not be waited for. */
    sigaction(SIGCHLD, &normal, &ret_before->child);
}

bool launch_give_terminal(pid_t from, pid_t to)
{
    return tcgetpgrp(STDIN_FILENO) == from && tcsetpgrp(STDIN_FILENO, to) == 0;
}

/* main.c ignores SIGPIPE; the application gets the default. */
static void restore_signals(const struct launch_signals *before)
{
    struct sigaction normal = {.sa_handler = SIG_DFL};

    sigaction(SIGPIPE, &normal, NULL);
    sigaction(SIGCHLD, &before->child, NULL);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

int launch_app(char *const *argv, char *const *env, const struct launch_signals *before, pid_t *ret)
{
    assert(argv[0] && before);
    pid_t ours = getpgrp(), pid;
    int failed[2], error = 0;

    if (pipe2(failed, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid == 0) {
        /* SIGTTOU is still blocked: only so a background process may do this. */
        setpgid(0, 0);
        launch_give_terminal(ours, getpid());
        restore_signals(before);
        rlimits_restore();
        environ = (char **)env;
        execvp(argv[0], argv);
        error = errno;
        file_write(failed[1], &error, sizeof(error));
        _exit(127);
    }
    error = pid < 0 ? errno : 0;
    close(failed[1]);
    if (pid > 0) {
        setpgid(pid, pid); /* both do it: the first one counts */
        if (file_read(failed[0], &error, sizeof(error)) < 0)
            error = 0;
    }
    close(failed[0]);
    if (error) {
        launch_give_terminal(pid, ours);
        return -error;
    }
    *ret = pid;
    return 0;
}

static void become_salvage(char *const *argv, char *const *env, const int fds[2], pid_t parent)
{
    int channel = fds[0], input = fds[1];
    sigset_t none;

    setsid();
    /* If we are killed, it gets SIGTERM, and still ships what there is. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        _exit(1);
    if (channel == LAUNCH_CHANNEL ? fcntl(channel, F_SETFD, 0) < 0 : dup2(channel, LAUNCH_CHANNEL) < 0)
        _exit(1);
    /* Descriptors that were passed through us to the application must not be held open here. */
    close_range(LAUNCH_CHANNEL + 1, ~0U, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve("/proc/self/exe", argv, env);
    _exit(127);
}

int launch_salvage(char *const *argv, pid_t *ret, int *ret_channel)
{
    return launch_salvage_in(argv, environ, ret, ret_channel);
}

int launch_salvage_in(char *const *argv, char *const *env, pid_t *ret, int *ret_channel)
{
    assert(argv[0]);
    CLEANUP_FD int channel = -1, other = -1, input = -1, output = -1;
    pid_t ours = getpid(), pid;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    channel = pair[0];
    other = pair[1];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    input = pair[0];
    output = pair[1];
    pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        become_salvage(argv, env, (const int[]){other, input}, ours);
    *ret = pid;
    *ret_channel = TAKE_FD(channel);
    return 0;
}

_Noreturn void launch_exec_salvage(char *const *head, size_t count, char *const *rest, int keep)
{
    char *args[LAUNCH_ARGS_MAX + 1];
    size_t n = 0;

    for (; n < count && n < LAUNCH_ARGS_MAX; n++)
        args[n] = head[n];
    while (*rest && n < LAUNCH_ARGS_MAX)
        args[n++] = *rest++;
    args[n] = NULL;
    if (keep >= 0)
        fcntl(keep, F_SETFD, 0);
    signal(SIGINT, SIG_IGN);
    sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
    execv("/proc/self/exe", args);
    _exit(LAUNCH_FAILED);
}
