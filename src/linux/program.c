/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/PID/stat (proc(5)) has all of it. The kernel hides the addresses of processes that we may not trace: an exec is
 * missed there, but we could not attach to them anyway.
 */
#include "linux/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { STAT_SIZE = 1024, NAME_SIZE = 32, FIRST = 3, PARENT, GROUP, STARTED = 22, CODE = 26, STACK = 28 };

int program_read(int procfd, pid_t pid, struct program *ret)
{
    char name[NAME_SIZE], text[STAT_SIZE];
    uint64_t value[STACK + 1] = {0};
    CLEANUP_FD int fd = -1;
    const char *at;
    ssize_t n;

    snprintf(name, sizeof(name), "%d/stat", (int)pid);
    fd = openat(procfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (n = read(fd, text, sizeof(text) - 1)) < 0)
        return -ESRCH; /* one read returns all of it */
    text[n] = '\0';
    /* The process's name may contain anything, ')' too. */
    if (!(at = strrchr(text, ')')))
        return -EBADMSG;
    at++;
    for (int field = FIRST; field <= STACK; field++) {
        at += strspn(at, " ");
        if (!*at)
            return -EBADMSG;
        value[field] = strtoull(at, NULL, 10);
        at += strcspn(at, " ");
    }
    *ret = (struct program){.pid = pid,
                            .parent = (pid_t)value[PARENT],
                            .group = (pid_t)value[GROUP],
                            .started = value[STARTED],
                            .code = value[CODE],
                            .stack = value[STACK]};
    return 0;
}

bool program_same(const struct program *a, const struct program *b)
{
    return a->pid == b->pid && a->started == b->started && a->code == b->code && a->stack == b->stack;
}
