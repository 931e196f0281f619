/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm stat: what jstat shows, line by line.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "hotspot/counters.h"
#include "hotspot/jstat.h"

enum { START_STEP_MS = 20, NO_PIDFD_STEP_MS = 500 };

struct stat_options {
    int view;
    bool timestamp, json;
    uint64_t header;
    uint64_t timeout_ms;
};

static const struct opt STAT_OPTIONS[] = {
    {OPT_CHOICE, 0, "view", JSTAT_VIEW_NAMES, "gcutil", offsetof(struct stat_options, view),
     "which columns; jstat's -gcutil, -gc, -gccapacity, -gccause and -class are understood too"},
    {OPT_FLAG, 't', "timestamp", NULL, NULL, offsetof(struct stat_options, timestamp),
     "a first column with the seconds since the JVM began"},
    {OPT_UINT, 'h', "header", "N", NULL, offsetof(struct stat_options, header),
     "the header again after each N lines; 0: only once"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct stat_options, json), "an object on each line"},
    {OPT_DURATION, 0, "timeout", "DURATION", "30s", offsetof(struct stat_options, timeout_ms),
     "how long to wait for a JVM that is starting up"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* One run of the command. */
struct sampler {
    const struct stat_options *o;
    const struct proc *proc;
    struct counters counters;
    struct buf line;
    int counters_fd, pidfd;
    uint64_t interval_ms, count; /* count 0: until the JVM ends */
    uint64_t printed;
};

static bool is_view(const char *word)
{
    size_t size = strlen(word);

    for (const char *name = JSTAT_VIEW_NAMES; *name; name += strcspn(name, "|"), name += *name == '|')
        if (strcspn(name, "|") == size && memcmp(name, word, size) == 0)
            return true;
    return false;
}

/* jstat's way to name a view, "-gc", as an option of ours. */
static int translate(int argc, char **argv, struct strv *ret)
{
    bool operands = false;
    int r = 0;

    for (int i = 0; i < argc && r == 0; i++) {
        operands |= text_eq(argv[i], "--");
        if (i > 0 && !operands && argv[i][0] == '-' && is_view(argv[i] + 1))
            r = strv_printf(ret, "--view=%s", argv[i] + 1);
        else
            r = strv_add(ret, argv[i]);
    }
    return r;
}

/* A bare number is milliseconds, as jstat has it; with a unit it is a duration like all others. */
static int parse_interval(const char *text, uint64_t *ret_ms, struct err *e)
{
    int r = text_parse_uint(text, INT_MAX, ret_ms);

    if (r == -EINVAL)
        r = text_parse_duration(text, ret_ms);
    if (r < 0 || *ret_ms == 0 || *ret_ms > INT_MAX)
        return err_set(e, -FAULT_USAGE, "jvm stat: '%s' is no interval: from 1 to %d milliseconds, or like 1s, 5m",
                       text, INT_MAX);
    return 0;
}

/* PID may be left out; then an interval is known by its unit, as a bare number is a PID. */
static bool is_interval(const char *word)
{
    uint64_t ignored;

    return word && !jvm_is_pid(word) && text_parse_duration(word, &ignored) == 0;
}

/* *ret_pid: NULL if it was left out. */
static int parse_operands(char **operands, struct sampler *ret, const char **ret_pid, struct err *e)
{
    const char *interval, *count;
    int r = 0;

    *ret_pid = *operands && !is_interval(*operands) ? *operands++ : NULL;
    interval = *operands;
    count = interval ? operands[1] : NULL;
    if (count && operands[2])
        return err_set(e, -FAULT_USAGE, "jvm stat: too many words: salvage jvm stat [PID] [INTERVAL [COUNT]]");
    ret->count = interval ? 0 : 1;
    if (interval)
        r = parse_interval(interval, &ret->interval_ms, e);
    if (r == 0 && count && (text_parse_uint(count, UINT64_MAX, &ret->count) < 0 || ret->count == 0))
        r = err_set(e, -FAULT_USAGE, "jvm stat: '%s' is no count: a number from 1 on", count);
    return r;
}

/* True if the JVM ended before that time came. */
static bool ends_before(const struct sampler *s, uint64_t due_ms)
{
    for (uint64_t now; (now = clock_mono_ms()) < due_ms;) {
        struct pollfd end = {.fd = s->pidfd, .events = POLLIN};
        uint64_t left = due_ms - now;

        if (s->pidfd < 0 && left > NO_PIDFD_STEP_MS)
            left = NO_PIDFD_STEP_MS;
        if (poll(&end, 1, left > INT_MAX ? INT_MAX : (int)left) > 0 || !proc_is_alive(s->proc))
            return true;
    }
    return false;
}

/* A JVM that starts up makes its counters before it says that they are to be read. */
static int wait_for_counters(struct sampler *s, struct err *e)
{
    uint64_t until = clock_mono_ms() + s->o->timeout_ms;
    int r;

    while ((r = counters_load(s->proc, s->counters_fd, &s->counters, e)) == -EAGAIN && clock_mono_ms() < until &&
           !ends_before(s, clock_mono_ms() + START_STEP_MS))
        ;
    return r;
}

static int print_line(struct sampler *s, struct err *e)
{
    const struct hsperf *h = &s->counters.perf;
    const struct stat_options *o = s->o;
    int64_t now = clock_wall_ns();
    double uptime = jstat_uptime(h, now);
    enum jstat_view view = (enum jstat_view)o->view;
    int r = 0;

    buf_clear(&s->line);
    if (o->json) {
        r = jstat_json(view, &(struct jstat_sample){h, (int)s->proc->pid, now, uptime}, &s->line);
    } else {
        if (s->printed == 0 || (o->header > 0 && s->printed % o->header == 0))
            r = jstat_header(view, o->timestamp, &s->line);
        if (r == 0)
            r = jstat_row(view, h, o->timestamp ? &uptime : NULL, &s->line);
    }
    if (r < 0)
        return err_set(e, r, "out of memory");
    s->printed++;
    return jvm_write(s->line.data, s->line.size, e);
}

/* At multiples of the interval since the first line, so that nothing drifts; those that we could not keep (the machine
 * slept, the terminal was stopped) are left out. */
static int sample(struct sampler *s, struct err *e)
{
    uint64_t begun_ms = 0, turn = 0;
    int r = 0;

    while (s->count == 0 || s->printed < s->count) {
        if (s->printed > 0) {
            uint64_t passed = (clock_mono_ms() - begun_ms) / s->interval_ms;

            turn = turn + 1 > passed ? turn + 1 : passed;
            if (ends_before(s, begun_ms + turn * s->interval_ms))
                break;
        }
        r = s->printed > 0 ? counters_load(s->proc, s->counters_fd, &s->counters, e) : wait_for_counters(s, e);
        /* The file keeps its last words, and may go in the midst of them. */
        if (!proc_is_alive(s->proc))
            break;
        if (r == 0 && s->printed == 0)
            begun_ms = clock_mono_ms();
        if (r < 0 || (r = print_line(s, e)) < 0)
            return r;
    }
    if (s->printed == 0)
        return err_set(e, -ESRCH, "JVM %d has ended", (int)s->proc->pid);
    return 0;
}

static void sampler_done(struct sampler *s)
{
    counters_done(&s->counters);
    buf_done(&s->line);
    mem_close_ptr(&s->counters_fd);
    mem_close_ptr(&s->pidfd);
}

static int run_on(const struct stat_options *o, char **operands, struct err *e)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(sampler_done) struct sampler s = {.o = o, .proc = &j.proc, .counters_fd = -1, .pidfd = -1};
    const char *pid;
    int r = parse_operands(operands, &s, &pid, e);

    if (r < 0 || (r = jvm_target("jvm stat", pid, &j, e)) < 0)
        return r;
    if ((r = s.counters_fd = counters_open(&j.proc, e)) < 0)
        return r;
    s.pidfd = proc_pidfd(&j.proc); /* without: looked at now and then */
    return sample(&s, e);
}

static int run(int argc, char **argv)
{
    struct stat_options o = {0};
    CLEANUP(strv_done) struct strv words = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = translate(argc, argv, &words);

    if (r < 0)
        return command_error(r, "out of memory");
    r = opt_parse(STAT_OPTIONS, argc, words.item, &o, &operands, &e);
    if (r >= 0)
        r = run_on(&o, operands, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_JVM_STAT = {
    .name = "jvm stat",
    .args = "[PID] [INTERVAL [COUNT]]",
    .summary = "how full the heap is and what collecting costs, once or line by line",
    .text =
        "The same columns and numbers as the JDK's jstat, from the file that the JVM keeps its counters in: the JVM is "
        "not asked, and does not notice. It may be stopped, or too busy to answer. \"-\" is what its collector does "
        "not count; JDK 25 brings most of its counters up to date at a collection only.\n\n"
        "INTERVAL is in milliseconds, or has a unit (1s, 5m), which it needs where PID is left out. COUNT lines are "
        "printed, or as many as there are until "
        "the JVM ends. Sizes are in KiB, times in seconds, how full something is in percent. S0 and S1 are the "
        "survivor spaces, E eden, O the old generation, M the metaspace, CCS the compressed class space; C at the end "
        "is the capacity, U what is used, MN and MX are least and most. YGC, FGC and CGC count young, full and "
        "concurrent collections, with a T the time they took; GCT is the sum. LGCC is why the last one came, GCC why "
        "the one under way did.",
    .examples = "salvage jvm stat 7 1s\n"
                "    how full everything is, each second\n"
                "salvage jvm stat 7 -gccause -t -h 20 250 100\n"
                "    why it collects: 100 lines in 25 seconds, with a time and a header every 20\n"
                "salvage jvm stat 7 1s --json | jq --unbuffered -c '[.time, .O]'\n"
                "    the old generation alone\n",
    .options = STAT_OPTIONS,
    .run = run,
};
