/* SPDX-License-Identifier: Apache-2.0
 *
 * A record is smaller than PIPE_BUF, so it is written whole or not at all.
 */
#include "linux/report_child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/wait.h"

int report_child_start(struct report_child *c, void (*run)(int to, const void *ctx), const void *ctx)
{
    pid_t parent = getpid(), child;
    int ends[2];

    assert(c->pid == 0 && c->from < 0);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    if ((child = fork()) < 0) {
        int r = -errno;

        close(ends[0]);
        close(ends[1]);
        return r;
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        if (getppid() == parent)
            run(ends[1], ctx);
        _exit(0);
    }
    close(ends[1]);
    *c = (struct report_child){.pid = child, .from = ends[0]};
    return 0;
}

void report_child_write(int to, const void *record, size_t size)
{
    assert(size <= PIPE_BUF);
    (void)file_write(to, record, size);
}

/* At the end of the pipe: the child has ended, or is about to. */
static int reap(struct report_child *c)
{
    int status = wait_child(c->pid);

    c->pid = 0;
    close(TAKE_FD(c->from));
    return status >= 0 && WIFEXITED(status) ? 0 : -ECHILD;
}

int report_child_read(struct report_child *c, void *record, size_t size, uint64_t until_ms, int stop_fd)
{
    struct pollfd fds[] = {{.fd = stop_fd, .events = POLLIN}, {.fd = c->from, .events = POLLIN}};
    int r;

    assert(c->pid > 0 && c->from >= 0);
    if ((r = wait_ready(fds, 2, until_ms)) <= 0)
        return r < 0 ? r : -ETIMEDOUT;
    if (fds[0].revents)
        return -ECANCELED;
    return file_read(c->from, record, size) == (ssize_t)size ? 1 : reap(c);
}

void report_child_end(struct report_child *c)
{
    if (c->from >= 0)
        close(TAKE_FD(c->from));
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        wait_child(c->pid);
        c->pid = 0;
    }
}
