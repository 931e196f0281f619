/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm stat: the columns of jstat, line by line.
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
     "a first column with the seconds since the JVM started"},
    {OPT_UINT, 'h', "header", "N", NULL, offsetof(struct stat_options, header),
     "repeat the header after every N lines; 0: print it only once"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct stat_options, json), "print a JSON object on each line"},
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

/* Translates jstat's options, "-gc", to --view=gc. */
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

/* A bare number is in milliseconds, as in jstat; with a unit it is a duration like others. */
static int parse_interval(const char *text, uint64_t *ret_ms, struct err *e)
{
    int r = text_parse_uint(text, INT_MAX, ret_ms);

    if (r == -EINVAL)
        r = text_parse_duration(text, ret_ms);
    if (r < 0 || *ret_ms == 0 || *ret_ms > INT_MAX)
        return err_set(e, -FAULT_USAGE,
                       "jvm stat: '%s' is not an interval: give 1 to %d milliseconds, or a duration like 1s or 5m",
                       text, INT_MAX);
    return 0;
}

/* PID may be left out; then an interval needs a unit, because a bare number is a PID. */
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
        return err_set(e, -FAULT_USAGE, "jvm stat: too many arguments: salvage jvm stat [PID] [INTERVAL [COUNT]]");
    ret->count = interval ? 0 : 1;
    if (interval)
        r = parse_interval(interval, &ret->interval_ms, e);
    if (r == 0 && count && (text_parse_uint(count, UINT64_MAX, &ret->count) < 0 || ret->count == 0))
        r = err_set(e, -FAULT_USAGE, "jvm stat: '%s' is not a count: give a number greater than 0", count);
    return r;
}

/* Waits until due_ms; true if the JVM ended before. */
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

/* A JVM that is starting up creates its counters before it marks them accessible. */
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

/* Prints at multiples of the interval since the first line, so that the times don't drift; missed ones (suspend, a
 * stopped terminal) are left out. */
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
        /* The counters stay readable after the JVM's end, and may be incomplete then. */
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
    s.pidfd = proc_pidfd(&j.proc); /* -1: polled every NO_PIDFD_STEP_MS instead */
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
    r = opt_parse(STAT_OPTIONS, &(struct opt_argv){argc, words.item}, &o, &operands, &e);
    if (r >= 0)
        r = run_on(&o, operands, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_JVM_STAT = {
    .name = "jvm stat",
    .args = "[PID] [INTERVAL [COUNT]]",
    .summary = "print heap use and garbage collection counters, once or repeatedly",
    .text = "The same columns and numbers as the JDK's jstat, read from the JVM's counters file without attaching: the "
            "JVM may be stopped, or too busy to answer. \"-\" marks what its collector does not count; JDK 25 updates "
            "most counters at a collection only.\n\n"
            "INTERVAL is in milliseconds, or has a unit (1s, 5m), which is required if PID is left out. COUNT lines "
            "are printed, or without COUNT lines until the JVM ends. Sizes are in KiB, times in seconds, use in "
            "percent. S0 and S1 are the "
            "survivor spaces, E eden, O the old generation, M the metaspace, CCS the compressed class space; A final C "
            "is the capacity, U the used part, MN and MX the minimum and maximum capacity. YGC, FGC and CGC count "
            "young, full and concurrent collections, with a T their time; GCT is the sum. LGCC is the cause of the "
            "last collection, GCC of the current one.",
    .examples = "salvage jvm stat 7 1s\n"
                "    heap use, every second\n"
                "salvage jvm stat 7 -gccause -t -h 20 250 100\n"
                "    causes of collections: 100 lines in 25 seconds, with a time, and a header every 20 lines\n"
                "salvage jvm stat 7 1s --json | jq --unbuffered -c '[.time, .O]'\n"
                "    only the old generation\n",
    .options = STAT_OPTIONS,
    .run = run,
};
