/* SPDX-License-Identifier: Apache-2.0
 *
 * unshare_cgroup [-o] COMMAND...: in a cgroup and mount namespace of its own, as a container is. The machine's
 * /sys/fs/cgroup stays mounted, or with -o only what that namespace shows, and no right to enter another one.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int own = argc > 1 && strcmp(argv[1], "-o") == 0;

    if (argc < 2 + own)
        return 2;
    if (unshare(CLONE_NEWCGROUP | CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        perror("unshare");
        return 1;
    }
    if (own &&
        (umount2("/sys/fs/cgroup", MNT_DETACH) != 0 || mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) != 0 ||
         prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) != 0)) {
        perror("mount");
        return 1;
    }
    execvp(argv[1 + own], argv + 1 + own);
    perror(argv[1 + own]);
    return 1;
}
