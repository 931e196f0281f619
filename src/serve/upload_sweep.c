/* SPDX-License-Identifier: Apache-2.0
 *
 * By names and ages. Files that belong together have one name with different ends (upload_resource.h).
 */
#include "serve/upload_sweep.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/thread.h"
#include "serve/upload_record.h"
#include "serve/upload_resource.h"

enum { EVERY_S = 3600, STACK_BYTES = 256 * 1024 };

struct upload_sweeper {
    struct uploads *uploads;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
};

/* Opens and locks it; -errno: it is in use, or gone. */
static int open_unused(int folder, const char *name, struct stat *ret)
{
    CLEANUP_FD int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || fstat(fd, ret) < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    return S_ISREG(ret->st_mode) ? TAKE_FD(fd) : -EINVAL;
}

static bool is_older(const struct stat *st, uint64_t age_ms)
{
    int64_t modified_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    int64_t age_ns = clock_wall_ns() - modified_ns;

    return age_ns > 0 && (uint64_t)age_ns / 1000000 >= age_ms;
}

/* "ID.json" for "ID.part". */
static void sibling(const char *name, const char *suffix, char out[NAME_MAX + 1])
{
    snprintf(out, NAME_MAX + 1, "%.*s%s", (int)strcspn(name, "."), name, suffix);
}

static bool record_of(int folder, const char *name, struct upload_record *ret)
{
    CLEANUP(buf_done) struct buf json = {.ceiling = UPLOAD_RECORD_MAX};
    char record[NAME_MAX + 1];

    sibling(name, UPLOAD_RECORD, record);
    return file_load(folder, record, &json) == 0 && upload_record_decode(buf_text(&json), json.size, ret) == 0;
}

static void report(const char *key, const struct stat *st)
{
    log_event(EVENT_UPLOAD_ABANDONED, LOG_STR("key", key), LOG_UINT("bytes", (uint64_t)st->st_size));
}

static bool sweep_temporary(int folder, const char *name)
{
    struct stat st = {0};
    CLEANUP_FD int fd = open_unused(folder, name, &st);

    if (fd < 0 || unlinkat(folder, name, 0) < 0)
        return false;
    report(NULL, &st);
    return true;
}

/* age_ms 0: never. */
static bool sweep_part(int folder, const char *name, uint64_t age_ms)
{
    CLEANUP(upload_record_done) struct upload_record record = {0};
    char other[NAME_MAX + 1];
    struct stat st = {0};
    CLEANUP_FD int fd = open_unused(folder, name, &st);

    if (fd < 0)
        return false;
    if (!record_of(folder, name, &record))
        age_ms = UPLOAD_COMPLETE_MS; /* its server died while it began */
    if (age_ms == 0 || !is_older(&st, age_ms) || unlinkat(folder, name, 0) < 0)
        return false;
    sibling(name, UPLOAD_RECORD, other);
    unlinkat(folder, other, 0);
    sibling(name, UPLOAD_SUM, other);
    unlinkat(folder, other, 0);
    report(record.key, &st);
    return true;
}

/* What has no bytes beside it: a record of a complete upload, or a rest. */
static void sweep_rest(int folder, const char *name)
{
    char part[NAME_MAX + 1];
    struct stat st = {0};

    sibling(name, UPLOAD_PART, part);
    if (*name != '.' && faccessat(folder, part, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        is_older(&st, UPLOAD_COMPLETE_MS))
        unlinkat(folder, name, 0);
}

unsigned upload_sweep_once(struct uploads *u)
{
    CLEANUP_FD int folder = uploads_folder_there(u);
    CLEANUP_DIR DIR *dir = folder < 0 ? NULL : file_opendir(folder, ".");
    const struct dirent *entry;
    unsigned removed = 0;

    while (dir && (entry = readdir(dir))) {
        const char *name = entry->d_name;

        if (*name != '.' && text_ends(name, ".tmp"))
            removed += sweep_temporary(folder, name);
        else if (*name != '.' && text_ends(name, UPLOAD_PART))
            removed += sweep_part(folder, name, uploads_config(u)->abandoned_ms);
        else
            sweep_rest(folder, name);
    }
    return removed;
}

unsigned upload_sweep_older(const struct uploads *u, const char *prefix, uint64_t age_ms)
{
    CLEANUP_FD int folder = uploads_folder_there(u);
    CLEANUP_DIR DIR *dir = folder < 0 ? NULL : file_opendir(folder, ".");
    const struct dirent *entry;
    unsigned removed = 0;

    while (dir && (entry = readdir(dir)))
        if (text_starts(entry->d_name, prefix) && text_ends(entry->d_name, UPLOAD_PART))
            removed += sweep_part(folder, entry->d_name, age_ms);
    return removed;
}

uint64_t upload_sweep_waiting(void *ctx, const char *namespace)
{
    const struct uploads *u = ctx;
    CLEANUP_FD int folder = uploads_folder_there(u);
    CLEANUP_DIR DIR *dir = folder < 0 ? NULL : file_opendir(folder, ".");
    size_t size = strlen(namespace);
    const struct dirent *entry;
    uint64_t bytes = 0;

    while (dir && (entry = readdir(dir))) {
        CLEANUP(upload_record_done) struct upload_record record = {0};
        CLEANUP_FD int fd = -1;
        struct stat st = {0};

        if (!text_ends(entry->d_name, UPLOAD_PART) || !record_of(folder, entry->d_name, &record))
            continue;
        const char *slash = strchr(record.key, '/');
        if ((slash ? (size_t)(slash - record.key) : 0) != size || strncmp(record.key, namespace, size) != 0)
            continue;
        if ((fd = open_unused(folder, entry->d_name, &st)) >= 0)
            bytes += (uint64_t)st.st_size;
    }
    return bytes;
}

static time_t pause_of(const struct uploads *u)
{
    uint64_t pause_s = uploads_config(u)->abandoned_ms / 4 / 1000;

    return pause_s == 0 ? 1 : pause_s > EVERY_S ? EVERY_S : (time_t)pause_s;
}

static void *run(void *ctx)
{
    struct upload_sweeper *s = ctx;
    time_t pause_s = uploads_config(s->uploads)->abandoned_ms ? pause_of(s->uploads) : EVERY_S;
    struct timespec next;

    pthread_mutex_lock(&s->lock);
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (;;) {
        next.tv_sec += pause_s;
        while (!s->stopping && pthread_cond_timedwait(&s->changed, &s->lock, &next) == 0)
            ;
        if (s->stopping)
            break;
        pthread_mutex_unlock(&s->lock);
        upload_sweep_once(s->uploads);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int upload_sweep_start(struct uploads *u, struct upload_sweeper **ret, struct err *e)
{
    CLEANUP_FREE struct upload_sweeper *s = calloc(1, sizeof(*s));
    pthread_condattr_t attributes;
    int r;

    assert(u && ret);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    s->uploads = u;
    upload_sweep_once(u);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if ((r = thread_start(&s->thread, STACK_BYTES, run, s)) < 0)
        return err_set(e, r, "cannot make a thread: %s", strerror(-r));
    *ret = TAKE_PTR(s);
    return 0;
}

void upload_sweep_stop(struct upload_sweeper *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
