/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel says of a process by its pidfd: PIDFD_GET_INFO (Linux 6.13; the core's part 6.16, its signal 6.19).
 * Format: the kernel's include/uapi/linux/pidfd.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pidfd_info_of {
    pid_t pid;    /* in our pid namespace, of the process, not of a thread */
    uid_t uid;    /* real */
    gid_t gid;    /* real */
    bool dumped;  /* it dumps core */
    bool as_root; /* its core is for root only: a set-user-id program */
    int signal;   /* that it dumps for; 0: this kernel does not say */
};

/* 0; -ENOTTY and the like: this kernel does not know it. */
int pidfd_info_get(int pidfd, struct pidfd_info_of *ret);
