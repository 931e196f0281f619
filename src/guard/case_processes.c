/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits are changed before the fork: the case needs the memory from its first moment.
 */
#include "guard/case_processes.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "guard/case_request.h"
#include "guard/guard_notifier.h"
#include "linux/launch.h"

int case_processes_init(struct case_processes *ret, const struct case_processes_config *c, struct err *e)
{
    int r;

    assert(c->self && c->args && c->override);
    *ret = (struct case_processes){.self = c->self, .args = c->args, .bandwidth = c->bandwidth > 0 ? c->bandwidth : -1};
    if ((r = dumpspeed_init(&ret->speed, c->dump_rate)) < 0)
        return err_set(e, r, "no file in memory: %s", strerror(-r));
    if ((r = limit_overrides_init(&ret->overrides, c->override, e)) < 0)
        dumpspeed_done(&ret->speed);
    return r;
}

/* What a case is begun with. */
struct beginning {
    pid_t victim;
    const char *why;
    int slot;
    const struct limit_override_outcome *override;
};

static void become_case(struct case_processes *c, const struct target *t, const struct beginning *b)
{
    char *about = limit_override_describe(&c->overrides, b->override, t->name, b->victim, b->why);
    struct case_request request = {.pid = b->victim,
                                   .target = t->name,
                                   .why = b->why,
                                   .id = t->last.taken.id,
                                   .time_ns = t->last.taken.time_ns,
                                   .about = about ? about : "{}",
                                   .speed = c->speed.fd,
                                   .cgroup = t->memcg.fd,
                                   .counters = counters_channel(),
                                   .bandwidth = c->bandwidth,
                                   .notices = guard_notifier_folder(),
                                   .slot = b->slot,
                                   .last = &t->last.who};
    struct case_request_argv argv;

    case_request_encode(&request, &argv);
    fcntl(t->memcg.fd, F_SETFD, 0); /* we are the forked child: the parent's flags stay */
    fcntl(request.counters, F_SETFD, 0);
    fcntl(request.bandwidth, F_SETFD, 0);
    fcntl(request.notices, F_SETFD, 0);
    fcntl(request.slot, F_SETFD, 0);
    launch_exec_salvage(argv.item, CASE_REQUEST_ARGS, c->args, c->speed.fd);
}

static void report_override(const struct case_processes *c, const struct target *t,
                            const struct limit_override_outcome *o)
{
    char size[TEXT_SIZE_MAX];

    if (o->override.count > 0)
        log_event(EVENT_GUARD_LIMIT_CHANGED, LOG_STR("target", t->name),
                  LOG_STR("raised", o->raised ? text_format_size(o->raised, size) : NULL),
                  LOG_UINT("held_s", o->override.hold_until_ms ? c->overrides.policy.hold_ms / 1000 : 0),
                  LOG_UINT("settings", o->override.count));
    if (o->lend.msg[0] || o->hold.msg[0])
        log_event(EVENT_GUARD_LIMIT_NOT_CHANGED, LOG_STR("target", t->name),
                  LOG_STR("lend", o->lend.msg[0] ? o->lend.msg : NULL),
                  LOG_STR("hold", o->hold.msg[0] ? o->hold.msg : NULL));
}

static struct case_process *find_slot(struct case_processes *c, pid_t child)
{
    for (size_t i = 0; i < CASE_PROCESSES_MAX; i++)
        if (c->one[i].child == child)
            return &c->one[i];
    return NULL;
}

int case_processes_begin(struct case_processes *c, struct target *t, const char *why, int slot_fd, struct err *e)
{
    pid_t victim = target_victim(t);
    struct case_process *slot = find_slot(c, 0);
    struct limit_override_outcome override;

    assert(c->self && t->number >= 0 && why);
    if (!slot)
        return err_set(e, -EAGAIN, "%d cases are being made already", CASE_PROCESSES_MAX);
    last_known_process(&t->last, victim);
    t->last.taken.time_ns = clock_wall_ns();
    if (identity_of_stream(c->self->machine, victim, 0, t->last.taken.time_ns, t->last.taken.id) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    limit_overrides_begin(&c->overrides, &t->memcg, t->name, clock_mono_ms(), &override);
    *slot = (struct case_process){.child = c->fork ? c->fork() : fork(),
                                  .target = t->number,
                                  .begun_ms = clock_mono_ms(),
                                  .restorer = override.restorer};
    snprintf(slot->name, sizeof(slot->name), "%s", t->name);
    if (slot->child == 0)
        become_case(c, t, &(struct beginning){victim, why, slot_fd, &override});
    if (slot->child < 0) {
        int r = -errno;

        slot->child = 0;
        limit_overrides_end(&c->overrides, override.restorer);
        return err_set(
            e, r,
            "no process can be started to take its evidence: %s: raise salvage's own limit of processes (pids.max, "
            "RLIMIT_NPROC) or of memory; the case is tried again (%.80s)",
            strerror(-r), why);
    }
    report_override(c, t, &override);
    log_event(EVENT_GUARD_CASE, LOG_STR("target", t->name), LOG_UINT("pid", (uint64_t)victim), LOG_STR("why", why));
    return 0;
}

int case_processes_reap(struct case_processes *c, pid_t child, int status, bool *ret_made)
{
    struct case_process *one = find_slot(c, child);
    char rate[TEXT_SIZE_MAX];

    if (limit_overrides_reap(&c->overrides, child, status) || !one)
        return -1;
    *ret_made = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    limit_overrides_end(&c->overrides, one->restorer);
    dumpspeed_update(&c->speed);
    log_event(EVENT_GUARD_MADE, LOG_STR("target", one->name), LOG_BOOL("whole", *ret_made),
              LOG_REAL("seconds", (double)(clock_mono_ms() - one->begun_ms) / 1000),
              LOG_STR("dump_rate", text_format_size(c->speed.rate, rate)));
    one->child = 0;
    return one->target;
}

size_t case_processes_count(const struct case_processes *c)
{
    size_t n = 0;

    for (size_t i = 0; i < CASE_PROCESSES_MAX; i++)
        n += c->one[i].child > 0;
    return n;
}

void case_processes_stop(struct case_processes *c)
{
    for (size_t i = 0; i < CASE_PROCESSES_MAX; i++)
        if (c->one[i].child > 0)
            kill(c->one[i].child, SIGTERM);
}

void case_processes_done(struct case_processes *c)
{
    limit_overrides_done(&c->overrides);
    dumpspeed_done(&c->speed);
}
