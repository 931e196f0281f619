/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue, and one child at a time.
 */
#include "guard/kill_recorder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/counters.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "guard/guard_notifier.h"
#include "guard/record_request.h"
#include "linux/launch.h"

static struct kill_recorder_rate *rate_of(struct kill_recorder *r, const char *target, uint64_t now_ms)
{
    struct kill_recorder_rate *found = &r->rate[0];

    for (unsigned i = 0; i < KILL_RECORDER_RATES; i++) {
        struct kill_recorder_rate *rate = &r->rate[i];

        if (*rate->target && strncmp(rate->target, target, sizeof(rate->target) - 1) == 0) {
            found = rate;
            break;
        }
        if (!*rate->target || (*found->target && rate->since_ms < found->since_ms))
            found = rate;
    }
    if (strncmp(found->target, target, sizeof(found->target) - 1) != 0 ||
        now_ms - found->since_ms >= KILL_RECORDER_RATE_MS) {
        snprintf(found->target, sizeof(found->target), "%s", target);
        found->since_ms = now_ms;
        found->count = 0;
    }
    return found;
}

static unsigned waiting_of(const struct kill_recorder *r, const char *target)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r->count; i++)
        n += strncmp(r->waiting[i].target, target, sizeof(r->waiting[i].target) - 1) == 0;
    return n;
}

static void set_names(struct record *record, const struct whoami *who)
{
    const char *names[KILL_RECORDER_NAMES] = {who->namespace, who->pod,   who->pod_uid,
                                              who->container, who->image, who->host};

    for (unsigned i = 0; i < KILL_RECORDER_NAMES; i++)
        snprintf(record->name[i], sizeof(record->name[i]), "%s", names[i] ? names[i] : "");
}

int kill_recorder_add(struct kill_recorder *r, const struct kill_record *kill, uint64_t now_ms, struct err *e)
{
    const struct oomkill *k = kill->kill;
    struct record *record = &r->waiting[r->count];
    struct kill_recorder_rate *rate = rate_of(r, kill->target, now_ms);

    assert(r->count <= KILL_RECORDER_MAX && k);
    if (rate->count >= KILL_RECORDER_RATE_MAX)
        return err_set(e, -EBUSY, "more than %d records of one target in 10 minutes", KILL_RECORDER_RATE_MAX);
    if (r->count == KILL_RECORDER_MAX || waiting_of(r, kill->target) >= KILL_RECORDER_TARGET_MOST)
        return err_set(e, -ENOSPC, "%u records wait for the store already", r->count);
    *record = (struct record){.time_ns = kill->time_ns};
    if (oomkill_encode(k, true, &record->json) < 0) {
        buf_done(&record->json);
        return err_set(e, -ENOMEM, "out of memory");
    }
    snprintf(record->target, sizeof(record->target), "%s", kill->target);
    snprintf(record->id, sizeof(record->id), "%.*s", IDENTITY_MAX - 1, k->case_id);
    record->pid = k->process.pid == OOMKILL_UNKNOWN ? 0 : k->process.pid;
    if (kill->who)
        set_names(record, kill->who);
    rate->count++;
    r->count++;
    kill_recorder_start(r, now_ms);
    return 0;
}

static void run_child(const struct kill_recorder *r, struct record *record, int json)
{
    struct record_request request = {.json = json,
                                     .counters = counters_channel(),
                                     .notices = guard_notifier_folder(),
                                     .target = record->target,
                                     .id = record->id,
                                     .time_ns = record->time_ns,
                                     .pid = record->pid,
                                     .who = {.namespace = record->name[0],
                                             .pod = record->name[1],
                                             .pod_uid = record->name[2],
                                             .container = record->name[3],
                                             .image = record->name[4],
                                             .host = record->name[5]}};
    struct record_request_argv argv;

    record_request_encode(&request, &argv);
    fcntl(request.notices, F_SETFD, 0);
    fcntl(request.counters, F_SETFD, 0); /* we are the forked child: the parent's flags stay */
    launch_exec_salvage(argv.item, RECORD_REQUEST_ARGS, r->args, json);
}

static void forget_first(struct kill_recorder *r)
{
    buf_done(&r->waiting[0].json);
    memmove(&r->waiting[0], &r->waiting[1], --r->count * sizeof(*r->waiting));
}

/* 0 or -errno: then nothing was started. */
static int start_first(struct kill_recorder *r)
{
    struct record *record = &r->waiting[0];
    CLEANUP_FD int fd = memfd_create("oom-kill.json", MFD_CLOEXEC);
    int written;
    pid_t child;

    if (fd < 0)
        return -errno;
    if ((written = file_write(fd, record->json.data, record->json.size)) < 0)
        return written;
    child = r->fork ? r->fork() : fork();
    if (child < 0)
        return -errno;
    if (child == 0)
        run_child(r, record, fd);
    r->child = child;
    return 0;
}

void kill_recorder_start(struct kill_recorder *r, uint64_t now_ms)
{
    int result;

    if (r->child || r->count == 0 || now_ms < r->again_ms)
        return;
    if ((result = start_first(r)) == 0) {
        r->again_ms = 0;
        return;
    }
    if (r->again_ms == 0)
        log_event(EVENT_GUARD_MISSED, LOG_STR("target", r->waiting[0].target), LOG_STR("piece", "oom-kill.json"),
                  LOG_STR("fault", fault_find(result)->name),
                  LOG_STR("error", "no process can be started to store the record: it is tried again each second"));
    r->again_ms = now_ms + KILL_RECORDER_AGAIN_MS;
}

uint64_t kill_recorder_due_ms(const struct kill_recorder *r)
{
    return r->again_ms && r->count > 0 && !r->child ? r->again_ms : UINT64_MAX;
}

bool kill_recorder_reap(struct kill_recorder *r, pid_t child, uint64_t now_ms)
{
    assert(child > 0);
    if (child != r->child)
        return false;
    r->child = 0;
    forget_first(r);
    kill_recorder_start(r, now_ms);
    return true;
}

void kill_recorder_done(struct kill_recorder *r)
{
    if (r->child)
        kill(r->child, SIGTERM);
    while (r->count > 0) {
        if (!r->child)
            log_event(EVENT_GUARD_MISSED, LOG_STR("target", r->waiting[0].target), LOG_STR("piece", "oom-kill.json"),
                      LOG_STR("error", "the guard ends before the record could be stored"));
        r->child = 0; /* it ships the first one alone */
        forget_first(r);
    }
}
