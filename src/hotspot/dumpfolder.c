/* SPDX-License-Identifier: Apache-2.0
 *
 * Made under the JVM's file system ids (setfsuid(2)), which are per thread: a folder that root makes and then chowns
 * could be exchanged for another folder in between.
 */
#include "hotspot/dumpfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

/* Two JVMs in containers may have the same pid, and the same folder. */
static void choose_name(const struct jvm *j, char *out, size_t size)
{
    char time[CLOCK_TEXT_MAX];
    uint16_t chance = 0;

    clock_format_basic(clock_wall_ns(), time);
    if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != (ssize_t)sizeof(chance))
        chance = (uint16_t)clock_wall_ns();
    snprintf(out, size, ".salvage-%d-%s-%04x", (int)j->status.inner_pid, time, chance);
}

static int open_own(const struct jvm *j, struct dumpfolder *f)
{
    struct stat st;

    if (mkdirat(f->parent, f->name, 0700) < 0)
        return -errno;
    f->fd = openat(f->parent, f->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (f->fd < 0)
        return -errno;
    /* Without the capability to act as the JVM's user, root has made a folder that root owns, and the JVM can't write
     * to it. */
    return fstat(f->fd, &st) == 0 && st.st_uid == j->status.uid ? 0 : -EPERM;
}

int dumpfolder_make(const struct jvm *j, const char *place, struct dumpfolder *ret)
{
    CLEANUP(dumpfolder_done) struct dumpfolder f = DUMPFOLDER_NONE;
    bool differs = j->status.uid != geteuid() || j->status.gid != getegid();
    int r;

    choose_name(j, f.name, sizeof(f.name));
    f.parent = proc_openat(&j->proc, place, O_RDONLY | O_DIRECTORY, 0);
    if (f.parent < 0)
        return f.parent;
    if (asprintf(&f.inner, "%s%s%s", place, text_ends(place, "/") ? "" : "/", f.name) < 0) {
        f.inner = NULL;
        return -ENOMEM;
    }
    if (differs && geteuid() == 0) {
        setfsgid(j->status.gid);
        setfsuid(j->status.uid);
    }
    r = open_own(j, &f);
    if (differs && geteuid() == 0) {
        setfsuid(geteuid());
        setfsgid(getegid());
    }
    if (r < 0) {
        if (f.fd >= 0)
            unlinkat(f.parent, f.name, AT_REMOVEDIR);
        return r;
    }
    *ret = f;
    f = (struct dumpfolder)DUMPFOLDER_NONE;
    return 0;
}

void dumpfolder_done(struct dumpfolder *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->parent >= 0)
        close(f->parent);
    free(f->inner);
    *f = (struct dumpfolder)DUMPFOLDER_NONE;
}

void dumpfolder_remove(struct dumpfolder *f)
{
    if (f->fd >= 0)
        unlinkat(f->parent, f->name, AT_REMOVEDIR);
    dumpfolder_done(f);
}
