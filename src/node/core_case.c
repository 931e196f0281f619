/* SPDX-License-Identifier: Apache-2.0
 *
 * The process stands still until its core has been read, so the store is asked first, and not for long.
 */
#include "node/core_case.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/live_core.h"
#include "linux/memory_room.h"
#include "linux/report_child.h"
#include "net/bandwidth.h"
#include "node/core_spool.h"
#include "node/crash_record.h"
#include "place/container.h"
#include "place/environment_facts.h"
#include "place/origin.h"
#include "ship/crash_name.h"
#include "ship/evidence_owner.h"
#include "ship/origin_reader.h"
#include "ship/preflight.h"
#include "ship/shipping.h"
#include "threads/hserr.h"

enum { STORE_ASK_MS = 3000, GIVE_UP_MS = 120000, NAME_SIZE = 64, SPARE_PART = 8 };

struct taking {
    struct core_case *c;
    struct core_entry *entry;
    struct plan plan;
    struct whoami self, its;
    struct facts facts, its_facts;
    struct shipping_case one; /* all evidence lies in one case */
    struct shipping s;
    struct core_pump pump;
    struct buf record;
    int hs_err; /* -1: none */
    char name[NAME_SIZE], detail[NAME_SIZE], cause[ORIGIN_CAUSE_MAX];
};

static void taking_done(struct taking *t)
{
    if (t->hs_err >= 0)
        close(t->hs_err);
    buf_done(&t->record);
    sink_close(t->s.sink);
    plan_done(&t->plan);
    whoami_done(&t->self);
    whoami_done(&t->its);
    facts_done(&t->facts);
    facts_done(&t->its_facts);
}

static void on_stored(void *ctx, const struct manifest *m)
{
    struct taking *t = ctx;

    snprintf(t->entry->what, sizeof(t->entry->what), "%s", m->key);
}

/* The pod as the kubelet knows it. False: it is in none, or that can't be known. */
static bool set_pod(struct taking *t)
{
    CLEANUP(whoami_done) struct whoami names = {0};

    if (whoami_of_process(&t->c->facts->proc, &names) < 0 || !names.by_kubelet ||
        whoami_for(&t->self, &names, &t->its) < 0)
        return false;
    t->s.who = &t->its;
    return true;
}

/* The node's own facts are not a container's. */
static int set_owner(struct taking *t, struct err *e)
{
    char id[CONTAINERID_MAX];
    int r;

    if ((r = whoami_get("/", &t->self, e)) < 0)
        return r;
    if (environment_facts_get("/", &t->self, &t->facts) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    t->s.who = &t->self;
    t->s.facts = &t->facts;
    if (!set_pod(t))
        evidence_owner_set(&t->s, &t->c->facts->proc, &t->its);
    if (container_of_process(t->c->facts->proc.fd, id)) {
        if (facts_set(&t->its_facts.container_id, id) < 0)
            return err_set(e, -ENOMEM, "out of memory");
        t->s.facts = &t->its_facts;
    }
    snprintf(t->entry->place, sizeof(t->entry->place), "%s", t->s.who->place);
    return 0;
}

/* The cause is part of the case's folder: a JVM's crash log knows it better than the signal. */
static void set_cause(struct taking *t)
{
    CLEANUP_FREE char *head = t->hs_err < 0 ? NULL : malloc(ORIGIN_HEAD_MAX);
    struct origin o = {0};
    ssize_t n = head ? file_pread(t->hs_err, head, ORIGIN_HEAD_MAX, 0) : 0;

    if (n > 0)
        hserr_origin(head, (size_t)n, &o);
    snprintf(t->cause, sizeof(t->cause), "%s", *o.cause ? o.cause : CAUSE_SIGNAL);
}

static int prepare(struct taking *t, struct err *e)
{
    const struct crash_facts *f = t->c->facts;
    const char *signal = sigabbrev_np(t->c->crash->signal);
    char home[NAME_SIZE];
    int r = plan_init(&t->plan, &t->c->rules->plan, e);

    if (r < 0)
        return r;
    snprintf(home, sizeof(home), "/proc/self/fd/%d", t->c->home);
    if (bandwidth_set_folder(t->plan.sink.http.bandwidth, home) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    set_cause(t);
    if (t->plan.give_up_ms == 0)
        t->plan.give_up_ms = GIVE_UP_MS;
    if (signal)
        snprintf(t->detail, sizeof(t->detail), "SIG%s (%d)", signal, t->c->crash->signal);
    t->plan.sink.notice = NULL; /* stderr is the log of events */
    t->s = (struct shipping){
        .plan = &t->plan,
        .cause = t->cause,
        .pid = (uint64_t)f->status.inner_pid,
        .uid = f->status.uid,
        .command = *f->command ? f->command : f->name,
        .detail = *t->detail ? t->detail : NULL,
        .sensitive = f->sensitive ? SENSITIVE_PROGRAM : NULL,
        .logs = true,
        .shared_case = &t->one,
        .stored = on_stored,
        .stored_ctx = t,
    };
    snprintf(t->name, sizeof(t->name), "core.%d", (int)f->status.inner_pid);
    return set_owner(t, e);
}

/* --- into the store --- */

static const char *how_partial(void *ctx)
{
    const struct taking *t = ctx;

    return core_pump_partial(&t->pump);
}

static int start_pump(struct taking *t, uint64_t room, struct err *e)
{
    const struct core_rules *rules = t->c->rules;
    uint64_t size_max = rules->core_max ? rules->core_max : UINT64_MAX, limit = t->c->crash->limit;

    if (!rules->any_limit && limit > 0 && limit < size_max)
        size_max = limit;
    if (room < size_max)
        size_max = room;
    t->pump = (struct core_pump){.in = TAKE_FD(t->c->in),
                                 .copy = TAKE_FD(t->c->copy),
                                 .size_max = size_max,
                                 .until_ms = clock_mono_ms() + rules->hold_ms,
                                 .out = -1};
    return core_pump_start(&t->pump, e);
}

/* What the process's memory is copied into, while it stands still. The memory is the machine's, not that of the
 * process's container; the process gives back as much when it is released. */
static uint64_t buffer_size(const struct core_rules *rules)
{
    uint64_t share = memory_spare() / SPARE_PART;

    return share < rules->buffer ? share : rules->buffer;
}

static int store_core(struct taking *t, struct err *e)
{
    struct shipping_stream stream = {.name = t->name,
                                     .started_ns = t->c->facts->started_ns,
                                     .uid = t->c->facts->status.uid,
                                     .buffer = buffer_size(t->c->rules),
                                     .expected_size = live_core_guess(&t->c->facts->proc),
                                     .partial = how_partial,
                                     .ctx = t};
    int r = start_pump(t, UINT64_MAX, e);

    if (r < 0)
        return r;
    stream.fd = TAKE_FD(t->pump.out);
    r = shipping_stream(&t->s, &stream, NULL, e);
    core_pump_join(&t->pump);
    return r;
}

/* The record as a file, to be read from its beginning. */
static int open_record(const struct taking *t)
{
    CLEANUP_FD int fd = t->record.size > 0 ? memfd_create("crash", MFD_CLOEXEC) : -1;

    if (fd < 0 || pwrite(fd, t->record.data, t->record.size, 0) != (ssize_t)t->record.size)
        return -1;
    return TAKE_FD(fd);
}

/* --- into the spool --- */

/* Beside the core; the names make one case of them (ship/crash_name.h). */
static void spool_others(struct taking *t, int folder, const struct crash_name *crash)
{
    CLEANUP_FD int record = open_record(t);
    char name[CRASH_FILE_NAME_MAX];
    struct err e = {0};
    uint64_t size;
    int r = 0;

    crash_name_print(crash, CRASH_FILE_RECORD, name);
    if (record >= 0)
        r = core_spool_write(folder, name, record, &size, &e);
    crash_name_print(crash, CRASH_FILE_LOG, name);
    if (r == 0 && t->hs_err >= 0)
        r = core_spool_write(folder, name, t->hs_err, &size, &e);
    if (r < 0)
        log_event(EVENT_FAILED, LOG_STR("path", name), LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e.msg));
}

static struct crash_name crash_name_of(const struct taking *t)
{
    struct crash_name n = {.pid = (uint64_t)t->c->facts->status.inner_pid,
                           .time_ms = clock_wall_ns() / 1000000,
                           .signal = t->c->crash->signal,
                           .sensitive = t->c->facts->sensitive};

    snprintf(n.cause, sizeof(n.cause), "%s", t->cause);
    return n;
}

static int spool_core(struct taking *t, const struct err *why, struct err *e)
{
    const struct core_spool spool = {t->c->rules->spool, t->c->rules->spool_max};
    char path[CORE_SPOOL_NAME_MAX], name[CRASH_FILE_NAME_MAX], full[CORE_SPOOL_NAME_MAX * 2];
    const struct crash_name crash = crash_name_of(t);
    uint64_t room, size = 0;
    CLEANUP_FD int folder = -1;
    int r;

    if (!spool.folder)
        return err_set(e, -FAULT_UNREACHABLE, "%.500s (there is no --spool)", why->msg);
    if ((folder = core_spool_folder(&spool, t->s.who, path, e)) < 0)
        return folder;
    if ((room = core_spool_room(&spool)) == 0)
        return err_set(e, -ENOSPC, "%.300s; and the spool %s is full (--spool-max), or its volume", why->msg,
                       spool.folder);
    crash_name_print(&crash, CRASH_FILE_CORE, name);
    if ((r = start_pump(t, room, e)) < 0)
        return r;
    r = core_spool_write(folder, name, t->pump.out, &size, e);
    close(TAKE_FD(t->pump.out));
    core_pump_join(&t->pump);
    if (r < 0 && size == 0)
        return r;
    snprintf(full, sizeof(full), "%s/%s%s", spool.folder, path, name);
    text_printable(full, t->entry->what, sizeof(t->entry->what));
    log_event(EVENT_CORE_SPOOLED, LOG_STR("path", full), LOG_UINT("bytes", size),
              LOG_STR("partial", core_pump_partial(&t->pump)), LOG_STR("error", why->msg));
    spool_others(t, folder, &crash);
    return 0;
}

/* --- beside it --- */

static void store_record(struct taking *t, const char *name, int fd)
{
    struct err e = {0};
    int r = fd < 0 ? err_set(&e, -errno, "%s", strerror(errno)) : 0;

    if (r == 0)
        r = shipping_open_file(&t->s, &(struct open_file){fd, -1, name, name}, &e);
    if (r < 0)
        log_event(EVENT_FAILED, LOG_STR("path", name), LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e.msg));
}

static void store_others(struct taking *t)
{
    CLEANUP_FD int record = open_record(t);
    char name[NAME_SIZE];

    t->s.stored = NULL;
    if (record >= 0)
        store_record(t, "crash.json", record);
    if (t->hs_err < 0)
        return;
    snprintf(name, sizeof(name), "hs_err_pid%d.log", (int)t->c->facts->status.inner_pid);
    t->s.detail = NULL; /* it has words of its own */
    store_record(t, name, t->hs_err);
}

struct store_answer {
    int result;
    char msg[512];
};

static void ask_in_child(int to, const void *ctx)
{
    const struct taking *t = ctx;
    struct store_answer answer = {0};
    struct sink *sink = NULL;
    struct err e = {0};

    answer.result = preflight_run(&(struct preflight){&t->plan, t->s.who, t->s.facts, 0}, &sink, &e);
    snprintf(answer.msg, sizeof(answer.msg), "%.500s", e.msg);
    report_child_write(to, &answer, sizeof(answer));
}

/* The process that died waits meanwhile, so a child asks, and has a few seconds, however often the store's requests are
 * tried again. Without a spool there is nothing else to do with the core. */
static int ask_store(struct taking *t, struct err *e)
{
    struct report_child child = REPORT_CHILD_NONE;
    struct store_answer answer = {0};
    int r;

    if (!t->c->rules->spool)
        return 0;
    r = report_child_start(&child, ask_in_child, t);
    if (r == 0)
        r = report_child_read(&child, &answer, sizeof(answer), clock_mono_ms() + STORE_ASK_MS, -1);
    report_child_end(&child);
    if (r == 1)
        return answer.result < 0 ? err_set(e, answer.result, "%s", answer.msg) : 0;
    return err_set(e, r == -ETIMEDOUT ? r : -FAULT_NO_PROCESS, "the store did not answer within %d s",
                   STORE_ASK_MS / 1000);
}

static void lost(struct taking *t, int r, const struct err *e)
{
    t->entry->end = CORE_LOST;
    text_printable(e->msg, t->entry->what, sizeof(t->entry->what));
    log_event(EVENT_CORE_LOST, LOG_UINT("pid", (uint64_t)t->c->crash->pid), LOG_STR("name", t->c->facts->name),
              LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e->msg));
}

void core_case_take(struct core_case *c, struct core_entry *ret)
{
    CLEANUP(taking_done)
    struct taking t = {
        .c = c, .entry = ret, .hs_err = crash_facts_hs_err(c->facts), .record = {.ceiling = CRASH_RECORD_MAX}};
    struct err e = {0}, why = {0};
    int r = prepare(&t, &e);

    assert(c->in >= 0 && c->facts->proc.fd >= 0);
    if (crash_record(c->crash, c->facts, &t.record) < 0)
        buf_done(&t.record);
    if (r == 0 && (r = ask_store(&t, &why)) < 0) {
        if ((r = spool_core(&t, &why, &e)) < 0)
            lost(&t, r, &e);
        else
            ret->end = CORE_SPOOLED;
    } else if (r < 0 || (r = store_core(&t, &e)) < 0) {
        lost(&t, r, &e);
    } else {
        ret->end = CORE_STORED;
        store_others(&t);
    }
    /* Closing what was not read releases the process. */
    if (c->in >= 0)
        close(TAKE_FD(c->in));
    if (c->copy >= 0)
        close(TAKE_FD(c->copy));
}
