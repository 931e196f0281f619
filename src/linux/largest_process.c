/* SPDX-License-Identifier: Apache-2.0
 *
 * By cgroup.procs and /proc/PID/statm.
 */
#include "linux/largest_process.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "linux/proc.h"

enum { PROCS_MAX = 64 * 1024 /* bytes of cgroup.procs that are read */ };

static uint64_t resident(pid_t pid)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP(buf_done) struct buf text = {.ceiling = 256};
    const char *second;

    if (proc_open("/proc", pid, &p) < 0 || file_load(p.fd, "statm", &text) < 0)
        return 0;
    second = strchr(buf_text(&text), ' ');
    return second ? strtoull(second, NULL, 10) : 0;
}

pid_t largest_process(int cgroup)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = PROCS_MAX};
    uint64_t most = 0;
    pid_t found = 0;

    if (file_load(cgroup, "cgroup.procs", &text) < 0)
        return 0;
    for (const char *at = buf_text(&text); *at; at += strcspn(at, "\n"), at += *at == '\n') {
        unsigned long pid = strtoul(at, NULL, 10);
        uint64_t pages = pid > 0 && pid <= INT_MAX ? resident((pid_t)pid) : 0;

        if (pages > most) {
            most = pages;
            found = (pid_t)pid;
        }
    }
    return found;
}
