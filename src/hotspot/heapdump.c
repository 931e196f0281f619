/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the JVM may write to a folder is not computed here: the JVM tries, and answers before it stops the
 * application.
 */
#include "hotspot/heapdump.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/diagnostics.h"
#include "hotspot/dumpanswer.h"
#include "hotspot/heapdump_place.h"
#include "hotspot/jvmpause.h"

enum {
    REASON_MAX = 300,
    SEGMENTS_MAX = 256,
    TRIES = 10,
    LIVE_RATE = 100 * 1000 /* bytes of heap that a full collection goes through in a millisecond, at the least */
};

const char *heapdump_name(const struct jvm *j, bool gzip, char out[HEAPDUMP_NAME_MAX])
{
    char time[CLOCK_TEXT_MAX];

    clock_format_basic(clock_wall_ns(), time);
    snprintf(out, HEAPDUMP_NAME_MAX, "java_pid%d-%s.hprof%s", (int)j->status.inner_pid, time, gzip ? ".gz" : "");
    return out;
}

/* --- while it is written --------------------------------------------------------------------------------------------
 */

struct growth {
    const struct heapdump_request *rq;
    const struct heapdump *dump;
    uint64_t expected, bytes;
};

/* The folder that the JVM writes to. */
static int dump_folder(const struct heapdump *d)
{
    return d->own.fd >= 0 ? d->own.fd : d->folder;
}

static uint64_t size_of(int folder, const char *name)
{
    struct stat st;

    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* Calls fn for each segment that JDK 22 and newer write next to NAME; returns the sum of their sizes. */
static uint64_t each_segment(const struct heapdump *d, void (*fn)(const struct heapdump *d, const char *name))
{
    uint64_t sum = 0;
    char name[NAME_MAX + 1];

    for (int i = 0; i < SEGMENTS_MAX; i++) {
        snprintf(name, sizeof(name), "%s.p%d", d->name, i);
        sum += size_of(dump_folder(d), name);
        if (fn)
            fn(d, name);
    }
    return sum;
}

static bool is_stopped(void *ctx)
{
    const struct growth *g = ctx;

    return g->rq->wait.stop && g->rq->wait.stop(g->rq->wait.ctx);
}

static bool has_grown(void *ctx)
{
    struct growth *g = ctx;
    uint64_t whole = size_of(dump_folder(g->dump), g->dump->name), parts = each_segment(g->dump, NULL);
    uint64_t bytes = whole > parts ? whole : parts;
    bool grown = whole + parts != g->bytes;

    if (g->rq->progress)
        g->rq->progress(g->rq->ctx, bytes, g->expected);
    g->bytes = whole + parts;
    return grown;
}

/* dumpheap takes two arguments in JDK 8 to 14. Only the diagnostic command has a number of threads. */
static int request_dump(const struct jvm *j, const struct heapdump_request *rq, const struct heapdump *d,
                        struct buf *answer, struct err *e)
{
    struct growth growth = {.rq = rq, .dump = d, .expected = rq->in_use ? heapdump_estimate(rq->in_use) : 0};
    struct attach_wait wait = rq->wait;
    CLEANUP_FREE char *command = NULL;
    char level[24] = "";

    wait.alive = has_grown;
    wait.stop = is_stopped;
    wait.ctx = &growth;
    /* The file does not grow while the full collection runs. */
    wait.timeout_ms += rq->live ? rq->in_use / LIVE_RATE : 0;
    if (rq->gzip > 0)
        snprintf(level, sizeof(level), "%u", (unsigned)rq->gzip);
    if (rq->threads > 0 && jvm_feature(j) >= HEAPDUMP_SEGMENTING_JDK) {
        if (strpbrk(d->inner, "\"\n"))
            return err_set(e, -FAULT_USAGE,
                           "JVM %d cannot dump with --parallel into a folder with a quote in its name: %s",
                           (int)j->proc.pid, d->inner);
        if (asprintf(&command, DIAGNOSTIC_HEAP_DUMP "%s%s%s -parallel=%u \"%s\"", rq->live ? "" : " -all",
                     *level ? " -gz=" : "", level, (unsigned)rq->threads, d->inner) < 0) {
            command = NULL;
            return err_set(e, -ENOMEM, "out of memory");
        }
        return attach_ask(j, ATTACH_JCMD(command), &wait, answer, e);
    }
    return attach_ask(
        j, &(struct attach_question){"dumpheap", {d->inner, rq->live ? "-live" : "-all", *level ? level : NULL}}, &wait,
        answer, e);
}

/* The JVM's user could have put a link or another file in place of the dump. */
static int open_dump(const struct jvm *j, struct heapdump *d, struct err *e)
{
    struct stat st;

    d->fd = openat(dump_folder(d), d->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (d->fd < 0)
        return err_set(e, errno == EACCES ? -FAULT_UNREADABLE : -errno, "the dump of JVM %d, %s: %s", (int)j->proc.pid,
                       d->inner, strerror(errno));
    if (fstat(d->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != j->status.uid || st.st_nlink != 1)
        return err_set(e, -FAULT_FORMAT, "%s of JVM %d is not the file that the JVM wrote", d->inner, (int)j->proc.pid);
    return 0;
}

/* Prepares the place for the file. -EACCES: try the next folder. */
static int prepare_place(const struct jvm *j, const struct heapdump_request *rq, const char *folder, struct heapdump *d,
                         struct err *e)
{
    char time[CLOCK_TEXT_MAX];
    const char *inner = folder;
    int r = 0;

    if (!rq->name && (r = dumpfolder_make(j, folder, &d->own)) < 0 && r != -ENOMEM && r != -EPERM)
        return err_set(e, -EACCES, "JVM %d has no folder for a dump: %s: %s", (int)j->proc.pid, folder, strerror(-r));
    if (d->own.inner)
        inner = d->own.inner;
    clock_format_basic(clock_wall_ns(), time);
    /* A name that a watch ignores: it may watch folders below its own, too. */
    if (r == -ENOMEM || (rq->name ? asprintf(&d->name, "%s", rq->name)
                                  : asprintf(&d->name, ".salvage-%d-%s.part", (int)j->status.inner_pid, time)) < 0) {
        d->name = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    if (asprintf(&d->inner, "%s%s%s", inner, text_ends(inner, "/") ? "" : "/", d->name) < 0) {
        d->inner = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    if (proc_path(&j->proc, text_eq(folder, ".") ? "" : folder, &d->outer) < 0)
        d->outer = NULL;
    return 0;
}

/* Whether the JVM could not write to this folder, so that another one may do. */
static bool is_folder_error(const char *reason)
{
    static const int errors[] = {EACCES, EPERM, EROFS, ENOENT, ENOTDIR};

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        if (text_eq(reason, strerror(errors[i])))
            return true;
    return false;
}

/* Requests the dump, and opens it. */
static int dump_there(const struct jvm *j, const struct heapdump_request *rq, const char *folder, struct heapdump *d,
                      struct err *e)
{
    CLEANUP(buf_done) struct buf answer = {0};
    char reason[REASON_MAX];
    struct jvmpause pause;
    enum dumpanswer outcome;
    int r = prepare_place(j, rq, folder, d, e);

    if (r < 0 || !d->inner)
        return r;
    jvmpause_begin(j, &pause);
    if ((r = request_dump(j, rq, d, &answer, e)) < 0)
        return r;
    d->pause = jvmpause_end(j, &pause);
    outcome = dumpanswer_read(buf_text(&answer), reason, sizeof(reason));
    if (outcome == DUMPANSWER_NONE)
        return err_set(e, -ESRCH, "JVM %d closed the connection during its dump: it has ended", (int)j->proc.pid);
    if (outcome == DUMPANSWER_REFUSED)
        return err_set(e, is_folder_error(reason) ? -EACCES : -EPROTO, "JVM %d cannot dump into %s: %s",
                       (int)j->proc.pid, text_eq(folder, ".") ? "its working folder" : folder, reason);
    if (outcome == DUMPANSWER_CUT && !(d->cut = strdup(reason)))
        return err_set(e, -ENOMEM, "out of memory");
    return open_dump(j, d, e);
}

/* Dumps into one folder. -EACCES, -ENOSPC: try the next. */
static int dump_into(const struct jvm *j, const struct heapdump_request *rq, const char *folder, struct heapdump *ret,
                     struct err *e)
{
    CLEANUP(heapdump_done) struct heapdump d = HEAPDUMP_NONE;
    int r;

    d.folder = proc_openat(&j->proc, folder, O_RDONLY | O_DIRECTORY, 0);
    if (d.folder < 0)
        return err_set(e, -EACCES, "JVM %d has no folder for a dump: %s: %s", (int)j->proc.pid, folder,
                       strerror(-d.folder));
    if (!rq->force && (r = heapdump_check_room(j, rq->in_use, folder, d.folder, e)) < 0)
        return r;
    if ((r = dump_there(j, rq, folder, &d, e)) < 0) {
        if (!rq->name)
            heapdump_remove(&d);
        return r;
    }
    *ret = d;
    d = (struct heapdump)HEAPDUMP_NONE;
    return 0;
}

int heapdump_make(const struct jvm *j, const struct heapdump_request *rq, struct heapdump *ret, struct err *e)
{
    assert(j->proc.fd >= 0 && rq && ret);
    CLEANUP(heapdump_folders_done) struct heapdump_folders folders = {0};
    struct err full = {0};
    int r = heapdump_folders_find(j, rq->folder, &folders);

    if (r < 0)
        return err_set(e, r, "out of memory");
    for (unsigned i = 0; i < folders.count; i++) {
        r = dump_into(j, rq, folders.path[i], ret, e);
        if (r != -EACCES && r != -ENOSPC)
            return r;
        if (r == -ENOSPC && !*full.msg)
            full = *e;
    }
    /* The lack of room is a more useful message than the lack of permission. */
    if (*full.msg) {
        *e = full;
        return -ENOSPC;
    }
    return r;
}

int heapdump_knows(const struct jvm *j, const char *option, const struct attach_wait *wait, struct err *e)
{
    CLEANUP(buf_done) struct buf help = {0};
    int r = attach_ask(j, ATTACH_JCMD(DIAGNOSTIC_HEAP_DUMP_HELP), wait, &help, e);

    return r < 0 ? r : strstr(buf_text(&help), option) != NULL;
}

static void remove_segment(const struct heapdump *d, const char *name)
{
    unlinkat(dump_folder(d), name, 0);
}

void heapdump_remove(struct heapdump *d)
{
    if (d->folder >= 0 && d->name) {
        unlinkat(dump_folder(d), d->name, 0);
        each_segment(d, remove_segment);
    }
    dumpfolder_remove(&d->own);
}

int heapdump_move(struct heapdump *d, int folder, const char *name)
{
    assert(d->fd >= 0 && d->name);
    struct stat moved, ours;
    int r = file_rename_new(dump_folder(d), d->name, folder, name);

    if (r < 0)
        return r;
    /* The JVM's user may have exchanged the file before the rename. */
    if (fstatat(folder, name, &moved, AT_SYMLINK_NOFOLLOW) < 0 || fstat(d->fd, &ours) < 0 ||
        moved.st_dev != ours.st_dev || moved.st_ino != ours.st_ino) {
        unlinkat(folder, name, 0);
        return -EXDEV;
    }
    dumpfolder_remove(&d->own);
    return 0;
}

int heapdump_leave(struct heapdump *d, const struct jvm *j, bool gzip, char **ret)
{
    char name[HEAPDUMP_NAME_MAX], *path;
    int r = -EEXIST;

    /* The name has a resolution of a second, and another dump may have it. */
    for (int i = 0; i < TRIES && r == -EEXIST; i++) {
        heapdump_name(j, gzip, name);
        if ((r = heapdump_move(d, d->folder, name)) == -EEXIST)
            clock_sleep_ms(200);
    }
    if (r < 0)
        return r;
    if (asprintf(&path, "%s%s%s", d->outer ? d->outer : "", d->outer && text_ends(d->outer, "/") ? "" : "/", name) < 0)
        return -ENOMEM;
    *ret = path;
    return 0;
}

void heapdump_done(struct heapdump *d)
{
    if (d->folder >= 0)
        close(d->folder);
    if (d->fd >= 0)
        close(d->fd);
    free(d->name);
    free(d->inner);
    free(d->outer);
    dumpfolder_done(&d->own);
    free(d->cut);
    *d = (struct heapdump)HEAPDUMP_NONE;
}
