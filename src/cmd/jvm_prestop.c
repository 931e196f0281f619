/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm prestop: a container's preStop hook. Threads and histogram first, then a heap dump if there is time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "hotspot/diagnostics.h"
#include "hotspot/heapuse.h"
#include "linux/interrupt.h"
#include "place/environment_facts.h"
#include "ship/heapdump_capture.h"
#include "ship/key_template.h"
#include "ship/plancheck.h"
#include "ship/preflight.h"

enum {
    RESERVE_MS = 1000, /* of the budget, reserved for the end: the kubelet's time began before our start */
    SMALL_SHARE = 4    /* a small piece may take at most this fraction of the time left */
};

struct prestop_options {
    struct plan_options plan;
    struct dump_options dump;
    uint64_t budget_ms, rate;
    bool stream, json, heap_dump;
};

static const struct opt PRESTOP_OPTIONS[] = {
    {OPT_HEADING, .name = "preStop"},
    {OPT_DURATION, 0, "budget", "DURATION", "25s", offsetof(struct prestop_options, budget_ms),
     "the time for everything: less than terminationGracePeriodSeconds, which begins with the hook"},
    {OPT_FLAG, 0, "heap-dump", NULL, "yes", offsetof(struct prestop_options, heap_dump),
     "also a heap dump, if there is time; --no-heap-dump: only threads and histogram"},
    {OPT_SIZE, 0, "rate", "SIZE", "30M", offsetof(struct prestop_options, rate),
     "bytes of heap that can be dumped, shipped and verified in a second: a dump that would take too long is not "
     "begun"},
    {OPT_FLAG, 0, "live", NULL, NULL, offsetof(struct prestop_options, dump.live),
     "only objects that are reachable: the JVM does a full collection first"},
    {OPT_FLAG, 0, "stream", NULL, NULL, offsetof(struct prestop_options, stream),
     "dump without a disk, through a FIFO (JDK 17 to 21)"},
    {OPT_STRING, 0, "dir", "DIR", NULL, offsetof(struct prestop_options, dump.folder),
     "the folder the JVM writes the dump to, a path in its container"},
    {OPT_FLAG, 0, "force", NULL, NULL, offsetof(struct prestop_options, dump.force),
     "dump even if there seems to be no room, or not enough time"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct prestop_options, json), "print manifests instead of URLs"},
    PLAN_OPTIONS_STORE(struct prestop_options, plan),
    PLAN_OPTIONS_SHIP(struct prestop_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* One run of the hook. */
struct prestop {
    const struct prestop_options *o;
    struct jvm jvm;
    struct plan plan;
    struct shipping shipping;
    uint64_t until_ms;
};

/* Limits for one piece: neither a silent JVM nor a dead store gets more than its share of the budget. */
static struct dump_options share(struct prestop *p, unsigned part)
{
    struct dump_options dump = p->o->dump;
    uint64_t left = clock_left_ms(p->until_ms) / part;

    dump.timeout_ms = p->o->plan.timeout_ms < left ? p->o->plan.timeout_ms : left;
    dump.until_ms = p->until_ms;
    p->plan.give_up_ms = left > 0 ? left : 1;
    if (p->o->plan.give_up_ms > 0 && p->o->plan.give_up_ms < left)
        p->plan.give_up_ms = p->o->plan.give_up_ms;
    return dump;
}

/* A piece that fails does not stop the others. */
static int ship_answer(struct prestop *p, const char *diagnostic, const char *name)
{
    struct dump_options dump = share(p, SMALL_SHARE);
    struct jvm_request request = {
        .jvm = &p->jvm, .diagnostic = diagnostic, .timeout_ms = dump.timeout_ms, .until_ms = dump.until_ms};
    struct err e = {0};
    int r = answer_to_store(&request, name, &p->shipping, &e);

    return r < 0 ? command_error(r, "prestop: %s: %s", name, e.msg) : 0;
}

/* Whether there is time for the dump; prints why not. */
static bool fits(const struct prestop *p, uint64_t in_use)
{
    uint64_t left = clock_left_ms(p->until_ms);
    uint64_t needed_ms = p->o->rate > 0 && in_use < UINT64_MAX / 1000 ? in_use * 1000 / p->o->rate : 0;
    char heap[TEXT_SIZE_MAX], rate[TEXT_SIZE_MAX];

    if (needed_ms <= left)
        return true;
    fprintf(stderr,
            "salvage: prestop: no heap dump: %s of heap would take %.0f s at %s/s (--rate), but only %.0f s of the "
            "budget are left\n",
            text_format_size(in_use, heap), (double)needed_ms / 1000, text_format_size(p->o->rate, rate),
            (double)left / 1000);
    return false;
}

static int ship_dump(struct prestop *p)
{
    struct dump_options dump = share(p, 1);
    struct attach_wait wait = {.timeout_ms = dump.timeout_ms};
    struct err e = {0};
    uint64_t in_use;
    int r = heapuse_get(&p->jvm, &wait, &in_use, &e);

    if (r == 0 && !p->o->dump.force && !fits(p, in_use))
        return 0;
    if (r == 0)
        r = p->o->stream ? dump_by_stream(&p->jvm, &dump, &p->shipping, &e)
                         : dump_to_store(&p->jvm, &dump, &p->shipping, &e);
    return r < 0 ? command_error(r, "prestop: heap dump: %s", e.msg) : 0;
}

/* Tries the store first: with wrong keys or a missing bucket the JVM would be stopped for nothing. A fault that may
 * pass by itself does not count: a dump that can't be shipped is left for a watch. A silent store gets only its share
 * of the budget, and so a sink with another timeout. */
static int try_store(struct prestop *p, const struct whoami *who, const struct facts *facts, struct err *e)
{
    struct plan plan = p->plan; /* a shallow copy with another timeout */
    uint64_t most_ms = clock_left_ms(p->until_ms) / SMALL_SHARE;
    struct sink *sink = NULL;
    int r;

    if (plan.sink.http.timeout_ms == 0 || plan.sink.http.timeout_ms > most_ms)
        plan.sink.http.timeout_ms = most_ms > 0 ? most_ms : 1;
    r = preflight_run(&(struct preflight){&plan, who, facts, 0}, &sink, e);
    sink_close(sink);
    return r < 0 && fault_is_transient(r) ? 0 : r;
}

static int ship_all(struct prestop *p)
{
    const char *histogram_command = p->o->dump.live ? DIAGNOSTIC_HISTOGRAM_LIVE : DIAGNOSTIC_HISTOGRAM;
    int threads = ship_answer(p, DIAGNOSTIC_THREADS_LOCKS, "threads.txt");
    int histogram = interrupt_caught() ? 0 : ship_answer(p, histogram_command, "histogram.txt");
    int dump = p->o->heap_dump && !interrupt_caught() ? ship_dump(p) : 0;

    return threads ? threads : histogram ? histogram : dump;
}

static int run_on(struct prestop *p)
{
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    struct shipping_case prestop_case = {0};
    struct err e = {0};
    int exit_code, r;

    if ((r = whoami_get("/", &who, &e)) < 0)
        return command_fail(r, &e);
    if (environment_facts_get("/", &who, &facts) < 0)
        return command_error(-ENOMEM, "out of memory");
    p->shipping = (struct shipping){.plan = &p->plan,
                                    .who = &who,
                                    .facts = &facts,
                                    .state = p->o->plan.state,
                                    .cause = "prestop",
                                    .json = p->o->json,
                                    .shared_case = &prestop_case};
    if (dump_begin_case(&p->jvm, &p->shipping, &prestop_case) < 0)
        return command_error(-ENOMEM, "out of memory");
    if ((r = try_store(p, &who, &facts, &e)) < 0)
        return command_error(r, "prestop: the store takes no evidence: %s", e.msg);
    exit_code = ship_all(p);
    sink_close(p->shipping.sink);
    return exit_code;
}

static int check_options(struct prestop *p, struct err *e)
{
    int r = plan_init(&p->plan, &p->o->plan, e);

    if (r == 0 && (r = plancheck(&p->plan, p->o->plan.state, NULL, e)) == 0)
        r = plancheck_proxy(&p->plan, e);
    return r;
}

static int run(int argc, char **argv)
{
    struct prestop_options o = {0};
    struct prestop p = {.o = &o, .jvm = JVM_NONE};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    uint64_t begun_ms = clock_mono_ms();
    int exit_code, r = opt_parse(PRESTOP_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r > 1)
        r = err_set(&e, -FAULT_USAGE, "jvm prestop: one process at a time");
    if (r >= 0 && !o.plan.to)
        r = err_set(&e, -FAULT_USAGE, "jvm prestop: give a store: --to URL");
    if (r >= 0 && o.budget_ms <= RESERVE_MS)
        r = err_set(&e, -FAULT_USAGE, "jvm prestop: --budget must be more than %d ms", RESERVE_MS);
    if (r < 0 || (r = check_options(&p, &e)) < 0 || (r = jvm_target("jvm prestop", operands[0], &p.jvm, &e)) < 0) {
        plan_done(&p.plan);
        return command_fail(r, &e);
    }
    log_set_format((enum log_format)o.plan.log);
    p.until_ms = begun_ms + o.budget_ms - RESERVE_MS;
    interrupt_catch();
    exit_code = run_on(&p);
    plan_done(&p.plan);
    jvm_done(&p.jvm);
    interrupt_release();
    return exit_code;
}

const struct command CMD_JVM_PRESTOP = {
    .name = "jvm prestop",
    .args = "[PID] --to URL",
    .summary = "as a preStop hook, ship threads, histogram and, if there is time, a heap dump",
    .text = "Ships the threads and the class histogram first, then a heap dump, all into one case of the store. The "
            "time for the dump is estimated first; if it can't be verified before --budget ends, it is left out with a "
            "message. A dump that takes longer nevertheless stays where the JVM wrote it, under a name that a watch "
            "ships, and the exit code is 75. PID may be left out if only one JVM is visible.",
    .examples = "salvage jvm prestop --to s3://evidence/prod --budget 60s\n"
                "    as a preStop hook of a pod with terminationGracePeriodSeconds: 75\n"
                "salvage jvm prestop 7 --to https://files.example/dumps --no-heap-dump\n"
                "    only threads and histogram\n",
    .options = PRESTOP_OPTIONS,
    .run = run,
};
