/* SPDX-License-Identifier: Apache-2.0
 *
 * None of it is needed by all commands: what is missing is a warning that names the command.
 */
#include "probe/machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "guard/cgroup_discovery.h"
#include "hotspot/jvm_find.h"
#include "linux/capability.h"
#include "linux/cgroupns.h"
#include "linux/kmsg.h"

enum { LINK_MAX_BYTES = 64, FDINFO_MAX = 4 * 1024 * 1024, FULL_PERCENT = 90, CGROUP_MAX = 16 * 1024 };

/* A number that the kernel keeps in a file; fallback where it keeps none. */
static uint64_t number_in(const char *path, uint64_t fallback)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = 64};
    uint64_t value;

    if (file_load(AT_FDCWD, path, &text) < 0 || text.size == 0)
        return fallback;
    text.data[strcspn(text.data, "\n")] = '\0';
    return text_parse_uint(text.data, UINT64_MAX, &value) == 0 ? value : fallback;
}

/* --- inotify --------------------------------------------------------------------------------------------------------
 */

struct usage {
    uint64_t instances, watches;
};

static uint64_t watches_of(int folder, const char *name)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FDINFO_MAX};
    uint64_t count = 0;

    if (file_load(folder, name, &text) < 0 || text.size == 0)
        return 0;
    for (const char *at = text.data; (at = strstr(at, "inotify wd:")); at++)
        count++;
    return count;
}

/* Of one process: what its descriptors lead to. */
static void add_usage(int proc, const char *pid, struct usage *u)
{
    char path[64], target[LINK_MAX_BYTES];
    struct dirent *entry;
    DIR *fds;

    snprintf(path, sizeof(path), "%.20s/fd", pid);
    if (!(fds = file_opendir(proc, path)))
        return;
    while ((entry = readdir(fds))) {
        ssize_t n = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

        if (n <= 0)
            continue;
        target[n] = '\0';
        if (!text_eq(target, "anon_inode:inotify") && !text_eq(target, "inotify"))
            continue;
        u->instances++;
        snprintf(path, sizeof(path), "%.20s/fdinfo/%.20s", pid, entry->d_name);
        u->watches += watches_of(proc, path);
    }
    closedir(fds);
}

/* The limits are a user's: of all processes of ours, in whatever container. */
static void count_usage(struct usage *u)
{
    DIR *proc = file_opendir(AT_FDCWD, "/proc");
    struct dirent *entry;
    struct stat st;

    while (proc && (entry = readdir(proc)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && fstatat(dirfd(proc), entry->d_name, &st, 0) == 0 &&
            st.st_uid == geteuid())
            add_usage(dirfd(proc), entry->d_name, u);
    if (proc)
        closedir(proc);
}

static void check_inotify(const struct findings *f)
{
    uint64_t instances = number_in("/proc/sys/fs/inotify/max_user_instances", UINT64_MAX);
    uint64_t watches = number_in("/proc/sys/fs/inotify/max_user_watches", UINT64_MAX);
    CLEANUP_FD int fd = inotify_init1(IN_CLOEXEC);
    struct usage used = {0};
    bool full;
    int r = fd < 0 ? -errno : inotify_add_watch(fd, "/", IN_DELETE_SELF) < 0 ? -errno : 0;

    finding_step(f, "inotify", "processes of this user");
    if (r < 0) {
        finding_fail(f, "inotify",
                     "raise fs.inotify.max_user_instances or fs.inotify.max_user_watches (sysctl, on the node)",
                     "no folder can be watched: %s (limits of uid %u: %llu instances, %llu watches)", strerror(-r),
                     (unsigned)geteuid(), (unsigned long long)instances, (unsigned long long)watches);
        return;
    }
    count_usage(&used);
    full = used.instances >= instances / 100 * FULL_PERCENT + 1 || used.watches >= watches / 100 * FULL_PERCENT + 1;
    finding_add(
        f,
        &(struct finding_head){full ? FINDING_WARN : FINDING_OK, "inotify",
                               full ? "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches" : NULL},
        "%llu of %llu instances and %llu of %llu watches of uid %u are seen in use", (unsigned long long)used.instances,
        (unsigned long long)instances, (unsigned long long)used.watches, (unsigned long long)watches,
        (unsigned)geteuid());
}

/* --- cgroups --------------------------------------------------------------------------------------------------------
 */

static int count_group(void *ctx, pid_t pid, struct err *e)
{
    unsigned *seen = ctx;
    (void)pid, (void)e;

    ++*seen;
    return 0;
}

static bool has_own_namespace(void)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = CGROUP_MAX};

    if (file_load(AT_FDCWD, "/proc/1/cgroup", &text) < 0 || text.size == 0)
        return false;
    return strstr(text.data, ":/..") != NULL;
}

static void check_cgroups(const struct findings *f)
{
    CLEANUP(cgroup_discovery_done) struct cgroup_discovery discovery = {0};
    bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0, entered, own;
    bool v1 = access("/sys/fs/cgroup/memory/memory.stat", F_OK) == 0;
    const char *version = v1 ? "v1" : v2 ? "v2" : NULL;
    unsigned seen = 0;

    finding_step(f, "cgroups", "memory cgroups of all processes");
    if (!version) {
        finding_warn(f, "cgroups", "mount the machine's /sys/fs/cgroup: guard needs it",
                     "no memory controller is to be seen below /sys/fs/cgroup");
        return;
    }
    own = has_own_namespace();
    entered = cgroupns_enter_first() == 0;
    cgroup_discovery_scan(&discovery, "/proc", clock_mono_ms(), count_group, &seen);
    if (seen == 0 && discovery.unseen > 0)
        finding_warn(f, "cgroups",
                     "for guard --all: hostPID with CAP_SYS_ADMIN, and the machine's /sys/fs/cgroup mounted",
                     "%s: none of %u memory cgroups with processes can be seen from here%s", version, discovery.unseen,
                     own || !entered ? " (a private cgroup namespace)" : "");
    else
        finding_add(f,
                    &(struct finding_head){discovery.unseen > 0 ? FINDING_WARN : FINDING_OK, "cgroups",
                                           discovery.unseen > 0
                                               ? "hostPID with CAP_SYS_ADMIN, and the machine's /sys/fs/cgroup mounted"
                                               : NULL},
                    "%s: %u memory cgroup%s with a limit seen, %u out of sight%s", version, seen, seen == 1 ? "" : "s",
                    discovery.unseen, own ? " (a private cgroup namespace)" : "");
}

/* --- kernel log and ptrace ------------------------------------------------------------------------------------------
 */

static void check_kernel_log(const struct findings *f)
{
    struct kmsg log = KMSG_NONE;
    struct err e = {0};
    int r;

    finding_step(f, "kernel-log", "/dev/kmsg");
    r = kmsg_open("/dev/kmsg", false, &log, &e);
    if (r < 0)
        finding_warn(
            f, "kernel-log",
            "'salvage oom' and guard know of kills by counters alone: run as root with CAP_SYSLOG and /dev/kmsg", "%s",
            e.msg);
    else
        finding_ok(f, "kernel-log", "/dev/kmsg can be read");
    kmsg_done(&log);
}

/* Which processes may be inspected and stopped: JVMs for jvm, any process for core. */
static void check_ptrace(const struct findings *f)
{
    CLEANUP(jvm_pids_done) struct jvm_pids jvms = {0};
    uint64_t scope = number_in("/proc/sys/kernel/yama/ptrace_scope", 0);
    bool may = capability_has(CAP_SYS_PTRACE);
    const char *remedy = NULL;
    struct err e = {0};

    finding_step(f, "ptrace", "processes");
    if (jvm_find("/proc", &jvms, &e) < 0) {
        finding_warn(f, "ptrace", "mount /proc", "%s", e.msg);
        return;
    }
    if (scope == 3)
        remedy = "'salvage core' will not work: kernel.yama.ptrace_scope=3 holds until the next boot";
    else if (!may && scope > 0)
        remedy = "'salvage core' needs CAP_SYS_PTRACE; jvm commands work for the same uid";
    else if (!may && jvms.hidden > 0)
        remedy = "run as the application's user, or as root with CAP_SYS_PTRACE";
    finding_add(f, &(struct finding_head){remedy ? FINDING_WARN : FINDING_OK, "ptrace", remedy},
                "kernel.yama.ptrace_scope %llu, CAP_SYS_PTRACE: %s, uid %u: %zu JVM%s seen, %zu process%s out of sight",
                (unsigned long long)scope, may ? "yes" : "no", (unsigned)geteuid(), jvms.count,
                jvms.count == 1 ? "" : "s", jvms.hidden, jvms.hidden == 1 ? "" : "es");
}

void probe_machine(const struct findings *f, const void *ctx)
{
    (void)ctx;
    check_inotify(f);
    check_cgroups(f);
    check_kernel_log(f);
    check_ptrace(f);
}
