/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders are named by path: an open descriptor would keep their volume busy.
 */
#include "ship/crashlog.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "ship/content.h"

enum { NAME_SIZE = 64, LOG_MAX = 64 * 1024 * 1024, STEP = 64 * 1024 };

static void forget(struct crashlogs *c, size_t i)
{
    proc_done(&c->jvm[i].proc);
    free(c->jvm[i].folder);
    c->jvm[i] = c->jvm[--c->count];
}

void crashlogs_note(struct crashlogs *c, const struct jvmtrace *t)
{
    struct crashlog log = {.proc = PROC_NONE, .inner_pid = t->inner_pid, .uid = t->uid, .started_ns = t->started_ns};
    struct proc_status ignored;

    assert(c->to && t->pid > 0);
    /* A process that has ended keeps its pid until its parent has asked how. */
    for (size_t i = 0; i < c->count; i++)
        if (c->jvm[i].proc.pid == t->pid && proc_status(&c->jvm[i].proc, &ignored) == 0)
            return;
    if (c->count == CRASHLOGS_MAX || *t->error || !t->same_files || !*t->work ||
        proc_open("/proc", t->pid, &log.proc) < 0)
        return;
    if (!(log.folder = strdup(t->work))) {
        proc_done(&log.proc);
        return;
    }
    c->jvm[c->count++] = log;
}

static bool is_its_own(const struct crashlog *l, int fd)
{
    char head[CONTENT_HEAD_MAX];
    struct stat st;
    ssize_t n;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == l->uid && st.st_size <= LOG_MAX &&
           st.st_mtim.tv_sec >= l->started_ns / 1000000000 && (n = file_pread(fd, head, sizeof(head), 0)) > 0 &&
           content_of(head, (size_t)n) == CONTENT_HS_ERR;
}

/* A watch sees the copy from its first byte on; it is complete once no process has it open for writing. */
static int copy(int from, const char *path)
{
    CLEANUP_FD int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    char step[STEP];
    uint64_t at = 0;
    ssize_t n = 0;
    int r = to < 0 ? -errno : 0;

    while (r == 0 && at < LOG_MAX && (n = file_pread(from, step, sizeof(step), at)) > 0) {
        r = file_write(to, step, (size_t)n);
        at += (uint64_t)n;
    }
    if (to >= 0 && (r < 0 || n < 0))
        unlink(path);
    return r < 0 ? r : n < 0 ? (int)n : 0;
}

/* Whether the log was there. */
static bool collect_from(const struct crashlogs *c, const struct crashlog *l, const char *folder)
{
    CLEANUP_FREE char *from = NULL;
    CLEANUP_FREE char *to = NULL;
    CLEANUP_FD int fd = -1;
    char name[NAME_SIZE];
    int r;

    snprintf(name, sizeof(name), "hs_err_pid%d.log", (int)l->inner_pid);
    if (asprintf(&from, "%s/%s", folder, name) < 0 || asprintf(&to, "%s/%s", c->to, name) < 0)
        return false;
    fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || !is_its_own(l, fd))
        return false;
    if ((r = copy(fd, to)) < 0)
        log_event(EVENT_NOT_COPIED, LOG_STR("path", from), LOG_STR("error", strerror(-r)));
    return true;
}

void crashlogs_collect(struct crashlogs *c)
{
    assert(c->to || c->count == 0);
    for (size_t i = c->count; i-- > 0;) {
        const struct crashlog *l = &c->jvm[i];
        struct proc_status status;

        if (proc_is_alive(&l->proc) && (proc_status(&l->proc, &status) < 0 || status.state != 'Z'))
            continue;
        if (!collect_from(c, l, l->folder))
            collect_from(c, l, "/tmp");
        forget(c, i);
    }
}

void crashlogs_done(struct crashlogs *c)
{
    while (c->count > 0)
        forget(c, c->count - 1);
}
