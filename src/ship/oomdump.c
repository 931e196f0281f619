/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump of this process is recognised by its name and its birth time, which is not before the process's start.
 */
#include "ship/oomdump.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/volume.h"
#include "place/identity.h"
#include "ship/claim.h"
#include "ship/spool.h"

enum {
    PLACES_MAX = 4,
    PARENTS_MAX = 32,
    SLACK_MS = 2000,            /* a file's times come from a coarser clock than a process's */
    RECENT_MS = 15 * 60 * 1000, /* commands that HotSpot ran before us may have taken long */
    WATCH_MS = 5000,
    POLL_MS = 50,
    LITTLE_ROOM = 1024 * 1024
};

/* The paths where a dump of this JVM may be. */
struct places {
    char *path[PLACES_MAX];
    unsigned count;
};

static void places_done(struct places *p)
{
    for (unsigned i = 0; i < p->count; i++)
        free(p->path[i]);
    p->count = 0;
}

/* folder: "" or with a '/' at its end; both as the JVM sees them. */
static int add_place(const struct jvm *j, const char *folder, const char *name, struct places *ret)
{
    CLEANUP_FREE char *inner = NULL;
    int r;

    if (ret->count == PLACES_MAX)
        return 0;
    if (asprintf(&inner, "%s%s", folder, name) < 0) {
        inner = NULL;
        return -ENOMEM;
    }
    if ((r = proc_path(&j->proc, inner, &ret->path[ret->count])) == 0)
        ret->count++;
    return r;
}

/* In a folder HotSpot chooses the name; compression can be switched at run time. */
static int add_defaults(const struct jvm *j, const struct jvmopts *o, const char *folder, struct places *ret)
{
    static const char *const suffixes[] = {"", ".gz"};
    bool gzip = o->heap_dump_gzip_level > 0;
    char name[64];
    int r = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(suffixes) && r == 0; i++) {
        snprintf(name, sizeof(name), "java_pid%d.hprof%s", (int)j->status.inner_pid, suffixes[i ^ gzip]);
        r = add_place(j, folder, name, ret);
    }
    return r;
}

static bool is_folder(const struct jvm *j, const char *path)
{
    CLEANUP_FD int fd = proc_openat(&j->proc, path, O_PATH | O_DIRECTORY, 0);

    return fd >= 0;
}

/* One interpretation of HeapDumpPath. */
static int add_reading(const struct jvm *j, const struct jvmopts *o, const char *path, struct places *ret)
{
    CLEANUP_FREE char *folder = NULL;

    if (!is_folder(j, path))
        return add_place(j, "", path, ret);
    if (asprintf(&folder, "%s%s", path, text_ends(path, "/") ? "" : "/") < 0) {
        folder = NULL;
        return -ENOMEM;
    }
    return add_defaults(j, o, folder, ret);
}

static int find_places(const struct jvm *j, const struct jvmopts *o, struct places *ret)
{
    CLEANUP_FREE char *expanded = NULL;
    int r;

    if (!o->heap_dump_path || !*o->heap_dump_path)
        return add_defaults(j, o, "", ret);
    if (!(expanded = jvmopts_expand_pid(o->heap_dump_path, (uint64_t)j->status.inner_pid)))
        return -ENOMEM;
    r = add_reading(j, o, expanded, ret);
    return r < 0 || text_eq(expanded, o->heap_dump_path) ? r : add_reading(j, o, o->heap_dump_path, ret);
}

/* The folder of a path; malloc'ed. */
static char *folder_of(const char *path)
{
    CLEANUP_FREE char *copy = strdup(path);

    return copy ? strdup(dirname(copy)) : NULL;
}

/* "NAME" or "NAME.12" */
static bool is_dump_name(const char *name, const char *base)
{
    size_t length = strlen(base);

    if (strncmp(name, base, length) != 0)
        return false;
    name += length;
    return !*name || (*name == '.' && name[1] && name[1 + strspn(name + 1, "0123456789")] == '\0');
}

struct search {
    int64_t started_ns, recent_ns;
    int64_t newest_ns; /* of the dumps found so far */
    struct oomdump *found;
};

static bool is_of_this_oom(const struct identity *file, const struct search *t)
{
    if (file->mtime_ns < t->recent_ns || file->mtime_ns < t->started_ns)
        return false;
    return !file->birth_ns || file->birth_ns >= t->started_ns;
}

/* Examines one name; exact: without a number at its end. */
static int check_name(struct search *t, int folder, const char *folder_path, const char *name, bool exact)
{
    CLEANUP_FD int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP_FREE char *path = NULL;
    struct oomdump *ret = t->found;
    struct identity file;
    bool ours;

    if (fd < 0 || identity_get(fd, "", &file) < 0 || !S_ISREG(file.mode))
        return 0;
    if (asprintf(&path, "%s/%s", text_eq(folder_path, "/") ? "" : folder_path, name) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    ours = is_of_this_oom(&file, t);
    if (ours && file.mtime_ns > t->newest_ns) {
        t->newest_ns = file.mtime_ns;
        free(ret->path);
        ret->path = TAKE_PTR(path);
        ret->here = true;
    } else if (!ours && exact && file.mtime_ns < t->started_ns && !ret->leftover) {
        ret->leftover = TAKE_PTR(path);
    }
    return 0;
}

static int search_place(struct search *t, const char *place)
{
    const char *name = text_base_name(place);
    CLEANUP_FREE char *folder_path = folder_of(place);
    CLEANUP_DIR DIR *dir = folder_path ? opendir(folder_path) : NULL;

    if (!folder_path)
        return -ENOMEM;
    if (!dir) {
        /* A folder that can't be listed may still be searchable by name. */
        CLEANUP_FD int fd = open(folder_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? 0 : check_name(t, fd, folder_path, name, true);
    }
    for (struct dirent *d; (d = readdir(dir));) {
        int r = is_dump_name(d->d_name, name)
                    ? check_name(t, dirfd(dir), folder_path, d->d_name, text_eq(d->d_name, name))
                    : 0;

        if (r < 0)
            return r;
    }
    return 0;
}

/* Whether a watch runs on this folder, or a recursive one on a folder above. */
static bool is_watched(const char *path)
{
    CLEANUP_FREE char *folder = folder_of(path);

    for (int i = 0; folder && i < PARENTS_MAX; i++) {
        CLEANUP_FD int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0 && spool_is_watched(fd, STATE_NAME))
            return true;
        if (text_eq(folder, "/") || text_eq(folder, "."))
            return false;
        dirname(folder);
    }
    return false;
}

static bool is_writable(const char *path)
{
    CLEANUP_FREE char *folder = folder_of(path);

    return folder && faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) == 0;
}

int oomdump_find(const struct jvm *j, const struct jvmopts *options, struct oomdump *ret, struct err *e)
{
    CLEANUP(places_done) struct places places = {0};
    CLEANUP(oomdump_done) struct oomdump d = {0};
    struct search t = {
        .recent_ns = clock_wall_ns() - (int64_t)RECENT_MS * 1000000, .newest_ns = INT64_MIN, .found = &d};
    int r = find_places(j, options, &places);

    t.started_ns = j->started_ns ? j->started_ns - (int64_t)SLACK_MS * 1000000 : INT64_MIN;
    for (unsigned i = 0; i < places.count && r == 0; i++)
        r = search_place(&t, places.path[i]);
    if (r == 0 && !d.path)
        d.path = strdup(places.path[0]);
    if (r == 0 && !d.path)
        r = -ENOMEM;
    if (r < 0 || !d.path)
        return err_set(e, r, "cannot search for the dump of process %d: %s", (int)j->proc.pid, strerror(-r));
    d.watched = is_watched(d.path);
    *ret = d;
    d = (struct oomdump){0};
    return 0;
}

void oomdump_done(struct oomdump *d)
{
    free(d->path);
    free(d->leftover);
    *d = (struct oomdump){0};
}

bool oomdump_taken(const struct jvmopts *options, const struct oomdump *d)
{
    return !d->here && d->watched && options->heap_dump == 1 && !d->leftover && is_writable(d->path);
}

void oomdump_await_watch(struct oomdump *d)
{
    uint64_t until = clock_mono_ms() + WATCH_MS;
    struct stat st;

    while (d->here && d->watched && clock_mono_ms() < until) {
        if (lstat(d->path, &st) < 0)
            d->here = false;
        else
            clock_sleep_ms(POLL_MS);
    }
}

static uint64_t room(const char *folder)
{
    uint64_t all, left;

    return volume_space_at(folder, &all, &left) < 0 ? UINT64_MAX : left;
}

const char *oomdump_why(const struct jvmopts *options, const struct oomdump *d, char *out, size_t size)
{
    CLEANUP_FREE char *folder = folder_of(d->path);
    struct stat st;

    if (options->heap_dump != 1)
        snprintf(out, size, "-XX:+HeapDumpOnOutOfMemoryError was not set at its start");
    else if (!folder || stat(folder, &st) < 0)
        snprintf(out, size, "its folder %s cannot be reached: %s", folder ? folder : d->path, strerror(errno));
    else if (d->leftover)
        snprintf(out, size, "%s is there already, from an older process, and a JVM does not write over it",
                 d->leftover);
    else if (!is_writable(d->path))
        snprintf(out, size, "%s may not be written to by uid %u", folder, (unsigned)geteuid());
    else if (room(folder) < LITTLE_ROOM)
        snprintf(out, size, "there is no room left in %s", folder);
    else if (stat(d->path, &st) == 0)
        snprintf(out, size, "%s is there already, and a JVM does not write over it", d->path);
    else
        snprintf(out, size, "%s is not there; the JVM's own words are above", d->path);
    return out;
}
