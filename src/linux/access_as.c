/* SPDX-License-Identifier: Apache-2.0
 *
 * The identity is that of /proc/PID/status, without its security label (SELinux, AppArmor), which may still refuse when
 * the process writes.
 */
#include "linux/access_as.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"

enum { STATUS_MAX = 256 * 1024, GROUPS_MAX = 65536, CHILD_DIED = 255 };

struct identity {
    struct proc_status status;
    gid_t *groups; /* owned */
    size_t group_count;
    uint64_t capabilities; /* effective */
};

static void identity_done(struct identity *i)
{
    free(i->groups);
}

static int read_groups(const char *at, struct identity *ret)
{
    const char *end = at + strcspn(at, "\n");

    if (!(ret->groups = calloc((size_t)(end - at) / 2 + 1, sizeof(*ret->groups))))
        return -ENOMEM;
    for (at += strspn(at, " \t"); at < end && ret->group_count < GROUPS_MAX; at += strspn(at, " \t")) {
        char *behind;

        ret->groups[ret->group_count++] = (gid_t)strtoul(at, &behind, 10);
        if (behind == at)
            return -EBADMSG;
        at = behind;
    }
    return 0;
}

static int read_identity(const struct proc *p, struct identity *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = STATUS_MAX};
    const char *groups, *capabilities;
    int r = proc_status(p, &ret->status);

    if (r < 0 || (r = file_load(p->fd, "status", &text)) < 0)
        return r == -ENOENT ? -ESRCH : r;
    groups = text_behind(buf_text(&text), "Groups:");
    capabilities = text_behind(buf_text(&text), "CapEff:");
    if (!groups || !capabilities)
        return -EBADMSG;
    ret->capabilities = strtoull(capabilities, NULL, 16);
    return read_groups(groups, ret);
}

/* No more capabilities than that process has: root in a container often has few. */
static void limit_capabilities(uint64_t wanted)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) < 0)
        return;
    for (unsigned i = 0; i < 2; i++) {
        data[i].effective &= (uint32_t)(wanted >> (32 * i));
        data[i].inheritable = 0;
    }
    syscall(SYS_capset, &header, data);
}

/* The parent folders are checked under the same identity; without openat2 only the folder itself, seen, is. */
static int check_folder(int root, const char *folder, int seen)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    CLEANUP_FD int fd = (int)syscall(SYS_openat2, root, folder, &how, sizeof(how));

    if (fd < 0 && errno != ENOSYS && errno != EPERM) /* an old kernel; a container's seccomp rules */
        return -errno;
    return faccessat(fd < 0 ? seen : fd, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* Root in another user namespace: its capability covers the users of that namespace, which the child, outside of it,
 * cannot determine. */
static bool overrides_modes(const struct proc *p, const struct identity *i)
{
    return i->capabilities & (UINT64_C(1) << CAP_DAC_OVERRIDE) && !proc_shares(p, "ns/user");
}

/* Its exit status is an errno value. */
static void check_in_child(const struct identity *i, int root, const char *folder, int seen)
{
    const struct proc_status *s = &i->status;
    int r;

    /* Without the right to do so all three fail, and the identity stays ours. */
    if (setgroups(i->group_count, i->groups) == 0 && setresgid(s->gid, s->gid, s->gid) == 0 &&
        setresuid(s->uid, s->uid, s->uid) == 0)
        limit_capabilities(i->capabilities);
    r = check_folder(root, folder, seen);
    _exit(-r < CHILD_DIED ? -r : EIO);
}

int access_as_may_write(const struct proc *p, const char *folder)
{
    CLEANUP(identity_done) struct identity who = {0};
    CLEANUP_FD int root = proc_openat(p, "/", O_PATH | O_DIRECTORY, 0);
    CLEANUP_FD int seen = proc_openat(p, folder, O_PATH | O_DIRECTORY, 0);
    int status, r = root < 0 ? root : seen < 0 ? seen : read_identity(p, &who);
    pid_t child;

    if (r < 0)
        return r;
    child = fork();
    if (child == 0)
        check_in_child(&who, root, folder, seen);
    if (child < 0)
        return -errno;
    if ((status = wait_child(child)) < 0)
        return status;
    r = WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
    return r == -EACCES && overrides_modes(p, &who) ? 0 : r;
}
