/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue, and one child at a time.
 */
#include "agent/recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/launch.h"
#include "base/file.h"
#include "base/mem.h"

enum { HEAD = 7 }; /* salvage guard-record FD TARGET ID TIME PID, the names, then guard's own */

static int write_record(const struct oomkill *k, int *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_FD int fd = memfd_create("oom-kill.json", MFD_CLOEXEC);
    int r;

    if (fd < 0 || oomkill_encode(k, true, &text) < 0 || (r = file_write(fd, text.data, text.size)) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    *ret = TAKE_FD(fd);
    return 0;
}

static bool is_too_often(struct recorder *r, uint64_t now_ms)
{
    if (now_ms - r->window_ms >= RECORDER_RATE_MS) {
        r->window_ms = now_ms;
        r->in_window = 0;
    }
    return r->in_window >= RECORDER_RATE_MAX;
}

static void set_names(struct record *record, const struct whoami *who)
{
    const char *names[RECORDER_NAMES] = {who->namespace, who->pod, who->pod_uid, who->container, who->image, who->host};

    for (unsigned i = 0; i < RECORDER_NAMES; i++)
        snprintf(record->name[i], sizeof(record->name[i]), "%s", names[i] ? names[i] : "");
}

int recorder_add(struct recorder *r, const char *target, const struct oomkill *k, const struct whoami *who,
                 int64_t time_ns, uint64_t now_ms, struct err *e)
{
    struct record *record = &r->waiting[r->count];
    int result;

    if (is_too_often(r, now_ms))
        return err_set(e, -EBUSY, "more than %d records in 10 minutes", RECORDER_RATE_MAX);
    if (r->count == RECORDER_MAX)
        return err_set(e, -ENOSPC, "%d records wait for the store already", RECORDER_MAX);
    *record = (struct record){.fd = -1, .time_ns = time_ns};
    if ((result = write_record(k, &record->fd, e)) < 0)
        return result;
    snprintf(record->target, sizeof(record->target), "%s", target);
    snprintf(record->id, sizeof(record->id), "%.*s", IDENTITY_MAX - 1, k->case_id);
    record->pid = k->process.pid == OOMKILL_UNKNOWN ? 0 : k->process.pid;
    if (who)
        set_names(record, who);
    r->in_window++;
    r->count++;
    recorder_start(r);
    return 0;
}

static void run_child(const struct recorder *r, struct record *record)
{
    char fd[16], time[32], pid[32], *head[HEAD + RECORDER_NAMES];

    snprintf(fd, sizeof(fd), "%d", record->fd);
    snprintf(time, sizeof(time), "%" PRId64, record->time_ns);
    snprintf(pid, sizeof(pid), "%" PRIu64, record->pid);
    memcpy(head,
           (char *[HEAD]){(char[]){"salvage"}, (char[]){"guard-record"}, fd, record->target, record->id, time, pid},
           HEAD * sizeof(*head));
    for (unsigned i = 0; i < RECORDER_NAMES; i++)
        head[HEAD + i] = record->name[i];
    launch_become(head, ARRAY_SIZE(head), r->args, record->fd);
}

static void forget_first(struct recorder *r)
{
    close(r->waiting[0].fd);
    memmove(&r->waiting[0], &r->waiting[1], --r->count * sizeof(*r->waiting));
}

void recorder_start(struct recorder *r)
{
    pid_t child;

    if (r->child || r->count == 0)
        return;
    child = fork();
    if (child == 0)
        run_child(r, &r->waiting[0]);
    r->child = child > 0 ? child : 0;
    if (child < 0)
        forget_first(r);
}

bool recorder_reap(struct recorder *r, pid_t child)
{
    if (child != r->child)
        return false;
    r->child = 0;
    forget_first(r);
    recorder_start(r);
    return true;
}

void recorder_done(struct recorder *r)
{
    if (r->child)
        kill(r->child, SIGTERM);
    while (r->count > 0)
        forget_first(r);
}
