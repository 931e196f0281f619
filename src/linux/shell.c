/* SPDX-License-Identifier: Apache-2.0
 *
 * The shell is reaped last: until then its process group id can't be reused.
 */
#include "linux/shell.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rlimits.h"
#include "base/text.h"
#include "base/wait.h"

enum {
    TERM_MS = 1000, /* from SIGTERM to SIGKILL */
    BLOCK = 64 * 1024,
    NOT_FOUND = 127
};

static const int OURS[] = {SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD};

static void be_child(const struct shell *s, int in, int out)
{
    struct sigaction normal = {.sa_handler = SIG_DFL};
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0);
    sigemptyset(&none);
    for (size_t i = 0; i < ARRAY_SIZE(OURS); i++)
        sigaction(OURS[i], &normal, NULL);
    rlimits_restore();
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (s->environment)
        environ = (char **)s->environment;
    for (size_t i = 0; i < s->variable_count; i++)
        setenv(s->variables[i][0], s->variables[i][1], 1);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(NOT_FOUND);
    /* Descriptors that a library left open without O_CLOEXEC are not for the command. */
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    execl("/bin/sh", "sh", "-c", s->command, (char *)NULL);
    if (errno == ENOENT || errno == ENOTDIR)
        execl("/proc/self/exe", "sh", "-c", s->command, (char *)NULL);
    _exit(NOT_FOUND);
}

/* A pipe with both descriptors above stderr. */
static int make_pipe(int *ret_read, int *ret_write, struct err *e)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(e, -errno, "no pipe: %s", strerror(errno));
    *ret_read = fcntl(ends[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    *ret_write = fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(ends[0]);
    close(ends[1]);
    return *ret_read < 0 || *ret_write < 0 ? err_set(e, -EMFILE, "no pipe: %s", strerror(EMFILE)) : 0;
}

/* Its input is an empty pipe: not every container has /dev/null. */
static int start(const struct shell *s, pid_t *ret, int *ret_output, struct err *e)
{
    CLEANUP_FD int in = -1, unused = -1, output = -1, out = -1;
    int r = make_pipe(&in, &unused, e);

    if (r < 0 || (r = make_pipe(&output, &out, e)) < 0)
        return r;
    close(TAKE_FD(unused));
    *ret = fork();
    if (*ret == 0)
        be_child(s, in, out);
    if (*ret < 0)
        return err_set(e, -errno, "no process can be started: %s", strerror(errno));
    setpgid(*ret, *ret); /* both do it: the first one counts */
    *ret_output = TAKE_FD(output);
    return 0;
}

/* Copies a block of output: 1; 0 at the end; -ETIMEDOUT, -EFBIG, or -errno of the write. */
static int copy_some(const struct shell *s, int in, int fd, uint64_t *size, uint64_t until_ms)
{
    struct pollfd p = {.fd = in, .events = POLLIN};
    uint64_t now = clock_mono_ms(), room = s->ceiling - *size;
    char block[BLOCK];
    ssize_t n;
    int r;

    if (now >= until_ms)
        return -ETIMEDOUT;
    if (poll(&p, 1, wait_timeout(now, until_ms)) <= 0)
        return 1;
    if ((n = read(in, block, sizeof(block))) <= 0)
        return n < 0 && errno == EINTR ? 1 : n < 0 ? -errno : 0;
    if ((r = file_write(fd, block, (uint64_t)n < room ? (size_t)n : (size_t)room)) < 0)
        return r;
    *size += (uint64_t)n < room ? (uint64_t)n : room;
    return (uint64_t)n > room ? -EFBIG : 1;
}

static int copy(const struct shell *s, int in, int fd, uint64_t *size, uint64_t until_ms)
{
    int r;

    while ((r = copy_some(s, in, fd, size, until_ms)) > 0)
        ;
    return r;
}

/* Ends the process group; output after SIGTERM is still collected. */
static void end_all(const struct shell *s, pid_t child, int in, int fd, uint64_t *size)
{
    kill(-child, SIGTERM);
    kill(-child, SIGCONT);
    copy(s, in, fd, size, clock_mono_ms() + TERM_MS);
    kill(-child, SIGKILL);
    wait_child(child);
}

static int end_status(int status, struct err *e)
{
    if (WIFSIGNALED(status))
        return err_set(e, -FAULT_REFUSED, "the command was ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
    return WEXITSTATUS(status) == 0
               ? 0
               : err_set(e, -FAULT_REFUSED, "the command ended with status %d%s", WEXITSTATUS(status),
                         WEXITSTATUS(status) == NOT_FOUND ? ": not found" : "");
}

int shell_to_file(const struct shell *s, int fd, struct err *e)
{
    assert(s->command && fd >= 0);
    uint64_t until_ms = clock_mono_ms() + s->limit_ms, size = 0;
    CLEANUP_FD int output = -1;
    char ceiling[TEXT_SIZE_MAX];
    int r;
    pid_t child = -1;

    if ((r = start(s, &child, &output, e)) < 0)
        return r;
    if ((r = copy(s, output, fd, &size, until_ms)) == 0 && (r = wait_child_until(child, until_ms)) >= 0)
        return end_status(r, e);
    end_all(s, child, output, fd, &size);
    if (r == -ETIMEDOUT)
        return err_set(e, r, "the command did not finish within %.1f s, and was killed", (double)s->limit_ms / 1000);
    if (r == -EFBIG)
        return err_set(e, r, "the command wrote more than %s: the rest is lost", text_format_size(s->ceiling, ceiling));
    return err_set(e, r, "the output of the command: %s", strerror(-r));
}
