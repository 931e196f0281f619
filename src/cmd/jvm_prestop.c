/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm prestop: a container's preStop hook. The small evidence first, the heap dump if it fits into the time.
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
    RESERVE_MS = 1000, /* of the budget, for the end: a kubelet counts from before our start */
    SMALL_SHARE = 4    /* one of so many parts of what is left is the most that a small piece may take */
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
     "all must be over by then: less than terminationGracePeriodSeconds, which begins with the hook"},
    {OPT_FLAG, 0, "heap-dump", NULL, "yes", offsetof(struct prestop_options, heap_dump),
     "a heap dump, too, if it fits; --no-heap-dump: threads and histogram alone"},
    {OPT_SIZE, 0, "rate", "SIZE", "30M", offsetof(struct prestop_options, rate),
     "bytes of heap that are dumped, shipped and verified in a second: what does not fit is not begun"},
    {OPT_FLAG, 0, "live", NULL, NULL, offsetof(struct prestop_options, dump.live),
     "only objects that are reachable: the JVM does a full collection first"},
    {OPT_FLAG, 0, "stream", NULL, NULL, offsetof(struct prestop_options, stream),
     "the dump goes without any disk (JDK 17 to 21)"},
    {OPT_STRING, 0, "dir", "DIR", NULL, offsetof(struct prestop_options, dump.folder),
     "where the JVM writes the dump, as the JVM sees it"},
    {OPT_FLAG, 0, "force", NULL, NULL, offsetof(struct prestop_options, dump.force),
     "a dump though it looks as if there were no room, or no time"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct prestop_options, json), "print manifests, not URLs"},
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

/* For one piece: neither a silent JVM nor a dead store has more of the budget than its share. */
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

/* A piece that can't be had does not keep the others. */
static int ship_answer(struct prestop *p, const char *diagnostic, const char *name)
{
    struct dump_options dump = share(p, SMALL_SHARE);
    struct err e = {0};
    int r = answer_to_store(&p->jvm, diagnostic, name, &dump, &p->shipping, &e);

    return r < 0 ? command_error(r, "prestop: %s: %s", name, e.msg) : 0;
}

/* Whether the dump may be begun; else says why not. */
static bool fits(const struct prestop *p, uint64_t in_use)
{
    uint64_t left = clock_left_ms(p->until_ms);
    uint64_t needed_ms = p->o->rate > 0 && in_use < UINT64_MAX / 1000 ? in_use * 1000 / p->o->rate : 0;
    char heap[TEXT_SIZE_MAX], rate[TEXT_SIZE_MAX];

    if (needed_ms <= left)
        return true;
    fprintf(stderr,
            "salvage: prestop: no heap dump: %s of heap would take %.0f s at %s/s (--rate), and %.0f s are left of the "
            "budget\n",
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

/* Wrong keys, a missing bucket: the JVM would stand still for nothing. What may pass by itself is no reason to leave
 * the evidence out: a dump that can't be shipped stays where a watch takes it. A silent store has no more of the budget
 * than its share, and so gets a sink with another timeout. */
static int try_store(struct prestop *p, const struct whoami *who, const struct facts *facts, struct err *e)
{
    struct plan plan = p->plan; /* borrows all but the number */
    uint64_t most_ms = clock_left_ms(p->until_ms) / SMALL_SHARE;
    struct sink *sink = NULL;
    int r;

    if (plan.sink.http.timeout_ms == 0 || plan.sink.http.timeout_ms > most_ms)
        plan.sink.http.timeout_ms = most_ms > 0 ? most_ms : 1;
    r = preflight_run(&(struct preflight){&plan, who, facts, 0}, &sink, e);
    sink_close(sink);
    return r < 0 && fault_passes(r) ? 0 : r;
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
    struct shipping_case its_case = {0};
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
                                    .its_case = &its_case};
    if (dump_begin_case(&p->jvm, &p->shipping, &its_case) < 0)
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
    int exit_code, r = opt_parse(PRESTOP_OPTIONS, argc, argv, &o, &operands, &e);

    if (r > 1)
        r = err_set(&e, -FAULT_USAGE, "jvm prestop: one process at a time");
    if (r >= 0 && !o.plan.to)
        r = err_set(&e, -FAULT_USAGE, "jvm prestop: where to? --to URL");
    if (r >= 0 && o.budget_ms <= RESERVE_MS)
        r = err_set(&e, -FAULT_USAGE, "jvm prestop: --budget: more than %d ms", RESERVE_MS);
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
    .summary = "a container's preStop hook: threads, histogram and, if it fits into the time, a heap dump",
    .text = "Ships the threads and the class histogram first, then a heap dump, all into one case of the store. Before "
            "the dump is begun, the time that it will take is estimated; what would not be verified before --budget "
            "ends is left out, and said. A dump that takes longer all the same stays where the JVM wrote it, under a "
            "name that a watch takes, and the exit code is 75. Without PID it is the only JVM that is seen.",
    .examples = "salvage jvm prestop --to s3://evidence/prod --budget 60s\n"
                "    as a preStop hook of a pod with terminationGracePeriodSeconds: 75\n"
                "salvage jvm prestop 7 --to https://files.example/dumps --no-heap-dump\n"
                "    threads and histogram alone\n",
    .options = PRESTOP_OPTIONS,
    .run = run,
};
