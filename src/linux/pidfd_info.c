/* SPDX-License-Identifier: Apache-2.0
 *
 * The struct and its numbers, which Debian 12's headers lack.
 */
#include "linux/pidfd_info.h"

#include <errno.h>
#include <sys/ioctl.h>

enum { INFO_PID = 1, INFO_CREDS = 2, INFO_COREDUMP = 16, INFO_COREDUMP_SIGNAL = 64 };
enum { DUMPED = 1, DUMPED_AS_ROOT = 8 };

struct kernel_info {
    uint64_t mask, cgroup;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
    uint32_t coredump_mask, coredump_signal;
};

#define GET_INFO _IOWR(0xff, 11, struct kernel_info)

int pidfd_info_get(int pidfd, struct pidfd_info_of *ret)
{
    struct kernel_info info = {.mask = INFO_PID | INFO_CREDS | INFO_COREDUMP | INFO_COREDUMP_SIGNAL};

    if (ioctl(pidfd, GET_INFO, &info) < 0)
        return -errno;
    if (!(info.mask & INFO_PID) || !(info.mask & INFO_CREDS))
        return -ENODATA;
    *ret = (struct pidfd_info_of){.pid = (pid_t)info.tgid, .uid = info.ruid, .gid = info.rgid};
    if (info.mask & INFO_COREDUMP) {
        ret->dumped = info.coredump_mask & DUMPED;
        ret->as_root = info.coredump_mask & DUMPED_AS_ROOT;
    }
    if (info.mask & INFO_COREDUMP_SIGNAL)
        ret->signal = (int)(info.coredump_signal & 0x7f);
    return 0;
}
