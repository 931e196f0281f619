/* SPDX-License-Identifier: Apache-2.0
 *
 * Tried by doing it, with a file that never has a name: a watch may be at work there.
 */
#include "probe/folders.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "linux/capability.h"
#include "linux/fskind.h"
#include "linux/inotify.h"
#include "linux/lease.h"
#include "linux/volume.h"
#include "ship/claim.h"
#include "ship/spool.h"
#include "watch/source.h"

enum { ROOM_WARN = 1024 * 1024 * 1024 };

struct place {
    const struct findings *f;
    const char *path;
    int fd;
    struct stat st;
    bool writable;
    int reason; /* why not, errno */
};

static bool check_open(struct place *p)
{
    finding_step(p->f, "folder", p->path);
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->fd < 0 && errno == ENOENT)
        finding_fail(p->f, "folder", "make it, or mount the volume there", "%s does not exist", p->path);
    else if (p->fd < 0)
        finding_fail(p->f, "folder", "run salvage as its owner or as root, or widen its mode",
                     "%s cannot be read by uid %u: %s", p->path, (unsigned)geteuid(), strerror(errno));
    return p->fd >= 0 && fstat(p->fd, &p->st) == 0;
}

static void check_writing(const struct place *p)
{
    if (p->writable)
        finding_ok(p->f, "folder", "%s: uid %u's, mode %04o, can be read and written by uid %u", p->path,
                   (unsigned)p->st.st_uid, (unsigned)(p->st.st_mode & 07777), (unsigned)geteuid());
    else
        finding_warn(p->f, "folder",
                     p->reason == EROFS
                         ? "mount it without readOnly"
                         : "run salvage as its owner or as root, or widen its mode (watch --dir-mode 1777)",
                     "%s cannot be written by uid %u (%s): evidence is read in place and never erased", p->path,
                     (unsigned)geteuid(), strerror(p->reason));
}

/* A JVM's dumps have mode 0600. */
static void check_uid(const struct place *p)
{
    uid_t own = geteuid();
    bool all = capability_has(CAP_DAC_READ_SEARCH) || capability_has(CAP_DAC_OVERRIDE);

    if (all)
        finding_ok(p->f, "uid", "%s: every user's files can be read", p->path);
    else if (p->st.st_uid == own)
        finding_ok(p->f, "uid", "%s: ours; files of other users in it can't be read", p->path);
    else if (p->st.st_mode & S_IWOTH)
        finding_warn(p->f, "uid", "run salvage as the application's user, or as root",
                     "%s: anybody may write there, and dumps (mode 0600) of another user than uid %u can't be read",
                     p->path, (unsigned)own);
    else
        finding_fail(p->f, "uid", "run salvage as that user, or as root",
                     "%s: uid %u writes there, and this is uid %u: dumps (mode 0600) can't be read", p->path,
                     (unsigned)p->st.st_uid, (unsigned)own);
}

static void check_leases(const struct place *p)
{
    CLEANUP_FD int fd = p->writable ? openat(p->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    CLEANUP_FD int again = -1;
    struct fskind kind = {.name = "?"};
    char path[64];

    fskind_get(p->fd, &kind);
    if (kind.network) {
        finding_warn(p->f, "leases", "no harm: --settle says how long a file must rest",
                     "%s is on %s: other hosts' writes are not seen, files are complete when they rest", p->path,
                     kind.name);
        return;
    }
    if (fd >= 0) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        again = open(path, O_RDONLY | O_CLOEXEC);
        close(TAKE_FD(fd)); /* else we would be its writer */
    }
    if (again >= 0 && lease_probe(again) != LEASE_NO_WRITER)
        finding_warn(p->f, "leases", "no harm: --settle says how long a file must rest",
                     "%s: this file system has none: files are complete when they rest", p->path);
    else if (!capability_has(CAP_LEASE) && p->st.st_uid != geteuid())
        finding_warn(p->f, "leases", "add CAP_LEASE, or run as the application's user",
                     "%s: none on files of other users: those are complete when they rest (--settle)", p->path);
    else
        finding_ok(p->f, "leases", "%s: a file is complete as soon as its writer closes it", p->path);
}

static void check_notices(const struct place *p)
{
    CLEANUP_FD int fd = inotify_open();
    int r = fd < 0 ? fd : inotify_watch_add(fd, p->path);

    if (r < 0)
        finding_fail(p->f, "inotify", "raise fs.inotify.max_user_instances or fs.inotify.max_user_watches on the node",
                     "%s cannot be watched: %s", p->path, strerror(-r));
}

static void check_space(const struct place *p)
{
    char size[TEXT_SIZE_MAX];
    uint64_t all, room;

    if (volume_space(p->fd, &all, &room) < 0)
        return;
    finding_add(
        p->f,
        &(struct finding_head){room < ROOM_WARN ? FINDING_WARN : FINDING_OK, "disk",
                               room < ROOM_WARN ? "a heap dump needs as much as the heap: enlarge the volume" : NULL},
        "%s free in %s", text_format_size(room, size), p->path);
}

static void check_state(const struct place *p, const char *given)
{
    int at = given ? AT_FDCWD : p->fd;
    const char *name = given ? given : STATE_NAME;
    struct stat st;

    finding_step(p->f, "state", name);
    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT || (!given && !p->writable))
            finding_warn(p->f, "state", "give --state DIR on a volume that can be written",
                         "%s: claims and journals can't be kept: an interrupted upload begins anew", p->path);
        else
            finding_ok(p->f, "state", "%s%s%s is made when it is needed", given ? "" : p->path, given ? "" : "/", name);
        return;
    }
    if (!S_ISDIR(st.st_mode))
        finding_fail(p->f, "state", "remove it, or give another --state DIR", "%s is no folder", name);
    else if (st.st_uid != geteuid())
        finding_fail(p->f, "state", "remove it, or give another --state DIR",
                     "%s is uid %u's, and this is uid %u: it is not trusted", name, (unsigned)st.st_uid,
                     (unsigned)geteuid());
    else if (faccessat(at, name, W_OK | X_OK, AT_EACCESS) < 0)
        finding_warn(p->f, "state", "give --state DIR on a volume that can be written", "%s cannot be written: %s",
                     name, strerror(errno));
    else
        finding_ok(p->f, "state", "%s is ours, and can be written", name);
}

static void check_one(const struct findings *f, const char *path, const char *state)
{
    struct place p = {.f = f, .path = path, .fd = -1};

    if (check_open(&p)) {
        p.writable = faccessat(p.fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
        p.reason = p.writable ? 0 : errno;
        check_writing(&p);
        check_uid(&p);
        check_leases(&p);
        check_notices(&p);
        check_space(&p);
        check_state(&p, state);
    }
    if (p.fd >= 0)
        close(p.fd);
}

void probe_folders(const struct findings *f, const void *ctx)
{
    const struct probe_folders *o = ctx;

    assert(((const struct probe_folders *)ctx)->dirs);
    for (char *const *dir = o->dirs; *dir; dir++)
        check_one(f, *dir, o->state);
}
