/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol: `core install`, by way of kernel.core_pattern, to `core-handler`. The kernel starts the handler as root in
 * the initial namespaces for each process that dumps core: with these arguments, an empty environment, the core on
 * stdin, and nothing else open but the pidfd of %F (descriptor 3, since Linux 6.16). Format: core(5), the kernel's
 * fs/coredump.c (format_corename).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define HANDLER_COMMAND "core-handler"

/* In the order of enum handler_argument. A kernel that does not know a specifier makes an empty argument of it. */
#define HANDLER_SPECIFIERS "%P %I %s %t %u %g %d %c %C %F"

enum handler_argument {
    HANDLER_PID = 1,
    HANDLER_TID,
    HANDLER_SIGNAL,
    HANDLER_TIME,
    HANDLER_UID,
    HANDLER_GID,
    HANDLER_DUMPABLE,
    HANDLER_LIMIT,
    HANDLER_CPU,
    HANDLER_PIDFD,
    HANDLER_END
};

/* One process that dumps core. */
struct crash {
    pid_t pid, tid;    /* in the initial pid namespace; tid: the thread that died */
    int signal;        /* 0 unknown */
    int64_t time_ns;   /* of the dump, since 1970 */
    uid_t uid;         /* real */
    gid_t gid;         /* real */
    unsigned dumpable; /* prctl(2), PR_GET_DUMPABLE: 2 for a set-user-id program */
    uint64_t limit;    /* RLIMIT_CORE, bytes; UINT64_MAX: none */
    unsigned cpu;
    int pidfd; /* of the process; -1: this kernel gives none. Borrowed */
};

/* argv[0] is the command's name. 0 or -FAULT_USAGE. */
int handler_parse(int argc, char *const *argv, struct crash *ret, struct err *e);
