/* SPDX-License-Identifier: Apache-2.0
 *
 * memwatch: what the kernel tells of memory cgroups and what samples of them say, line by line, as JSON. It decides
 * nothing and does nothing about it: a look at what a guard would see.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "guard/growth.h"
#include "linux/interrupt.h"
#include "linux/memsignal.h"

enum {
    SIGNALS_MAX = 6,
    EVENTS_MAX = 32,
    NUMBER_MAX = 24,
    QUIET_MS = 100,
    COUNTING_MS = 1000,
    COUNTING_STEP_MS = 5,
    WINDOW_MAX_MS = 10000
};

struct memwatch_options {
    const char *threshold;
    int pressure;
    uint64_t stall_ms, window_ms;
    uint64_t interval_ms, for_ms;
    bool signals, samples;
};

static const struct opt MEMWATCH_OPTIONS[] = {
    {OPT_STRING, 0, "threshold", "SIZE|N%", "90%", offsetof(struct memwatch_options, threshold),
     "the usage that is waited for: a size, or a share of the lowest limit"},
    {OPT_CHOICE, 0, "pressure", "low|medium|critical", "medium", offsetof(struct memwatch_options, pressure),
     "cgroup v1: this level of pressure, or worse"},
    {OPT_DURATION, 0, "stall", "DURATION", "150ms", offsetof(struct memwatch_options, stall_ms),
     "so much of a window in which tasks wait for memory"},
    {OPT_DURATION, 0, "window", "DURATION", "1s", offsetof(struct memwatch_options, window_ms),
     "of --stall: 0.5 to 10 s"},
    {OPT_DURATION, 0, "interval", "DURATION", "0", offsetof(struct memwatch_options, interval_ms),
     "sample at this interval; 0: the nearer to a limit and the faster, the more often"},
    {OPT_FLAG, 0, "signals", NULL, "1", offsetof(struct memwatch_options, signals), "listen to the kernel's signals"},
    {OPT_FLAG, 0, "samples", NULL, "1", offsetof(struct memwatch_options, samples), "print samples"},
    {OPT_DURATION, 0, "for", "DURATION", "0", offsetof(struct memwatch_options, for_ms),
     "end after this time; 0: when all of the cgroups are gone"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

struct target {
    const char *name; /* as it was given */
    struct memcg memcg;
    struct memsignal signal[SIGNALS_MAX];
    unsigned signals;
    struct growth growth; /* of what is missing in room, or of usage where there is no limit */
    uint64_t threshold, due_ms, slack_ms;
    uint64_t counting_until_ms; /* an OOM was told whose kill is not counted yet */
    uint64_t quiet_until_ms;    /* until then nobody listens to pressure, which comes in storms */
    uint64_t limit;             /* as it was said last */
    bool over, gone;
};

/* A signal that is listened to. */
struct ear {
    struct target *target;
    struct memsignal *signal;
    bool deaf; /* for a while */
};

struct watch {
    const struct memwatch_options *o;
    struct target *target;
    size_t count, left;
    struct ear *ear;
    size_t ears;
    int epoll;
    uint64_t end_ms; /* 0: none */
    struct buf line;
};

/* Output */

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *number(uint64_t n, char out[NUMBER_MAX])
{
    if (n == UINT64_MAX)
        snprintf(out, NUMBER_MAX, "null");
    else
        snprintf(out, NUMBER_MAX, "%" PRIu64, n);
    return out;
}

/* A name may hold anything but NUL. */
static int add_string(struct buf *b, const char *text)
{
    int r = buf_add(b, "\"", 1);

    for (; *text && r == 0; text++) {
        unsigned char c = (unsigned char)*text;

        r = c < 0x20 || c >= 0x7f || c == '"' || c == '\\' ? buf_printf(b, "\\u%04x", c) : buf_add(b, text, 1);
    }
    return r < 0 ? r : buf_add(b, "\"", 1);
}

static int begin(struct watch *w, const struct target *t, const char *event)
{
    int r;

    buf_clear(&w->line);
    r = buf_printf(&w->line, "{\"at\":%.6f,\"event\":\"%s\",\"target\":", now_s(), event);
    return r < 0 ? r : add_string(&w->line, t->name);
}

static int end(struct watch *w, int r, struct err *e)
{
    if (r == 0)
        r = buf_add_text(&w->line, "}\n");
    if (r < 0)
        return err_set(e, r, "out of memory");
    return jvm_write(w->line.data, w->line.size, e);
}

static int print_start(struct watch *w, const struct target *t, struct err *e)
{
    CLEANUP(buf_done) struct buf survey = {0};
    char limit[NUMBER_MAX], threshold[NUMBER_MAX];
    /* Once, as it takes a while: others of the same machine have the same. */
    int r = t == w->target ? memsignal_survey(&t->memcg, &survey) : buf_add_text(&survey, "as the first");

    if (r >= 0 && (r = begin(w, t, "start")) == 0)
        r = buf_printf(&w->line,
                       ",\"version\":%d,\"levels\":%u,\"whole\":%s,\"limit\":%s,\"threshold\":%s,\"signals\":",
                       t->memcg.v2 ? 2 : 1, t->memcg.levels, t->memcg.whole ? "true" : "false",
                       number(memcg_limit(&t->memcg), limit), number(t->threshold, threshold));
    return end(w, r < 0 ? r : add_string(&w->line, buf_text(&survey)), e);
}

static int print_sample(struct watch *w, const struct target *t, const struct memcg_sample *s, unsigned pace,
                        struct err *e)
{
    char limit[NUMBER_MAX], room[NUMBER_MAX], left[NUMBER_MAX];
    double speed = growth_speed(&t->growth);
    int r = begin(w, t, "sample");

    if (r == 0)
        r = buf_printf(&w->line,
                       ",\"usage\":%" PRIu64 ",\"used\":%" PRIu64 ",\"limit\":%s,\"level\":%u,\"room\":%s,"
                       "\"swap_room\":%" PRIu64 ",\"speed\":%.0f,\"oom_in_ms\":%s,\"next_ms\":%u",
                       s->usage, s->used, number(s->limit, limit), s->level, number(s->room, room), s->swap_room, speed,
                       number(growth_time_to(s->room, speed), left), pace);
    return end(w, r, e);
}

static int print_signal(struct watch *w, const struct target *t, const struct memsignal *s,
                        const struct memsignal_event *event, struct err *e)
{
    static const char *const names[] = {"crossed", "pressure", "stall",     "oom", "oom_kill",
                                        "high",    "max",      "under_oom", "gone"};
    int r = begin(w, t, "signal");

    if (r == 0)
        r = buf_printf(&w->line, ",\"signal\":\"%s\",\"what\":\"", s->ops->name);
    for (unsigned i = 0, n = 0; i < ARRAY_SIZE(names) && r == 0; i++)
        if (event->what & 1u << i)
            r = buf_printf(&w->line, "%s%s", n++ ? " " : "", names[i]);
    if (r == 0)
        r = buf_printf(&w->line, "\",\"oom_kills\":%" PRIu64, event->rose.oom_kill);
    return end(w, r, e);
}

static int print_threshold(struct watch *w, const struct target *t, const char *how, uint64_t used, struct err *e)
{
    int r = begin(w, t, "threshold");

    if (r == 0)
        r = buf_printf(&w->line, ",\"over\":%s,\"used\":%" PRIu64 ",\"by\":\"%s\"", t->over ? "true" : "false", used,
                       how);
    return end(w, r, e);
}

static int print_limit(struct watch *w, const struct target *t, struct err *e)
{
    char limit[NUMBER_MAX];
    int r = begin(w, t, "limit");

    return end(w, r < 0 ? r : buf_printf(&w->line, ",\"limit\":%s", number(t->limit, limit)), e);
}

static int print_gone(struct watch *w, struct target *t, struct err *e)
{
    if (t->gone)
        return 0;
    t->gone = true;
    w->left--;
    for (unsigned i = 0; i < t->signals; i++)
        memsignal_done(&t->signal[i]);
    t->signals = 0; /* epoll lets go of what is closed */
    return end(w, begin(w, t, "gone"), e);
}

/* One look */

static int parse_threshold(const char *text, uint64_t limit, uint64_t *ret, struct err *e)
{
    size_t length = strlen(text);
    char digits[8];
    uint64_t n;

    if (!text_ends(text, "%")) {
        if (text_parse_size(text, ret) < 0 || *ret == 0)
            return err_set(e, -FAULT_USAGE, "memwatch: '%s' is no size: 400M, 1.5G, 90%%", text);
        return 0;
    }
    if (length > sizeof(digits) || snprintf(digits, sizeof(digits), "%.*s", (int)length - 1, text) < 0 ||
        text_parse_uint(digits, 100, &n) < 0 || n == 0)
        return err_set(e, -FAULT_USAGE, "memwatch: '%s' is no share: from 1%% to 100%%", text);
    *ret = limit == UINT64_MAX ? UINT64_MAX : limit / 100 * n + limit % 100 * n / 100;
    return 0;
}

static int look(struct watch *w, struct target *t, const char *how, bool print, struct err *e)
{
    struct memcg_sample s;
    uint64_t now = clock_mono_ms();
    unsigned pace;
    bool nearly;
    int r = memcg_sample(&t->memcg, now, &s);

    if (r == -ENODEV)
        return print_gone(w, t, e);
    if (r < 0)
        return err_set(e, r, "%s: %s", t->name, strerror(-r));
    growth_add(&t->growth, now, s.room == UINT64_MAX ? (int64_t)s.own_used : -(int64_t)s.room);
    /* The kernel tells of usage, caches and all, and only once: what is used may still be on its way there. */
    nearly = s.usage >= t->threshold && s.used < t->threshold;
    pace = pace_ms(s.limit, s.room, t->threshold > s.used ? t->threshold - s.used : 0, growth_latest(&t->growth));
    if (w->o->interval_ms && (!nearly || w->o->interval_ms < pace))
        pace = (unsigned)w->o->interval_ms;
    t->due_ms = now + pace;
    t->slack_ms = pace / 8; /* so that those that are due together are looked at together */
    if (t->counting_until_ms > now && t->due_ms > now + COUNTING_STEP_MS)
        t->due_ms = now + COUNTING_STEP_MS;
    if (memcg_limit(&t->memcg) != t->limit) {
        t->limit = memcg_limit(&t->memcg);
        if ((r = parse_threshold(w->o->threshold, t->limit, &t->threshold, e)) < 0 || (r = print_limit(w, t, e)) < 0)
            return r;
    }
    if (t->over != (s.used >= t->threshold)) {
        t->over = !t->over;
        if ((r = print_threshold(w, t, how, s.used, e)) < 0)
            return r;
    }
    return print && w->o->samples ? print_sample(w, t, &s, pace, e) : 0;
}

static int read_signal(struct watch *w, struct target *t, struct memsignal *s, bool ready, struct memsignal_event *ret,
                       struct err *e)
{
    int r = memsignal_read(s, ret);

    if (r < 0)
        return err_set(e, r, "%s: %s: %s", t->name, s->ops->name, strerror(-r));
    if (ret->what & MEMSIGNAL_OOM_KILL)
        t->counting_until_ms = 0;
    else if (ret->what & MEMSIGNAL_OOM)
        t->counting_until_ms = clock_mono_ms() + COUNTING_MS;
    return ret->what && (ready || ret->what & MEMSIGNAL_OOM_KILL) ? print_signal(w, t, s, ret, e) : 0;
}

static int listen_to(const struct watch *w, struct ear *ear)
{
    struct epoll_event event = {.events = (uint32_t)ear->signal->poll_events, .data.ptr = ear};

    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, ear->signal->fd, &event) < 0 ? -errno : 0;
}

static int on_signal(struct watch *w, struct ear *ear, struct err *e)
{
    struct target *t = ear->target;
    struct memsignal_event event = {0};
    int r = read_signal(w, t, ear->signal, true, &event, e);

    if (r < 0)
        return r;
    if (event.what & MEMSIGNAL_PRESSURE) {
        t->quiet_until_ms = clock_mono_ms() + QUIET_MS;
        ear->deaf = epoll_ctl(w->epoll, EPOLL_CTL_DEL, ear->signal->fd, NULL) == 0;
    }
    return event.what & MEMSIGNAL_GONE ? print_gone(w, t, e) : look(w, t, ear->signal->ops->name, false, e);
}

/* What is to be done at times. */
static int on_time(struct watch *w, struct target *t, uint64_t now, struct err *e)
{
    int r = 0;

    for (unsigned i = 0; i < t->signals && t->counting_until_ms > now && r == 0; i++) {
        struct memsignal_event event = {0};

        if (t->signal[i].ops == &MEMSIGNAL_V1_OOM)
            r = read_signal(w, t, &t->signal[i], false, &event, e);
    }
    return r == 0 && t->due_ms <= now + t->slack_ms ? look(w, t, "sample", true, e) : r;
}

static int listen_again(struct watch *w, uint64_t now, struct err *e)
{
    for (size_t i = 0; i < w->ears; i++) {
        struct ear *ear = &w->ear[i];
        int r;

        if (!ear->deaf || ear->target->gone || ear->target->quiet_until_ms > now)
            continue;
        if ((r = listen_to(w, ear)) < 0)
            return err_set(e, r, "epoll: %s", strerror(-r));
        ear->deaf = false;
    }
    return 0;
}

static uint64_t next_ms(const struct watch *w)
{
    uint64_t due = w->end_ms ? w->end_ms : UINT64_MAX;

    for (size_t i = 0; i < w->count; i++)
        if (!w->target[i].gone && w->target[i].due_ms < due)
            due = w->target[i].due_ms;
    return due;
}

static int wait_for_something(struct watch *w, struct err *e)
{
    struct epoll_event event[EVENTS_MAX];
    uint64_t now = clock_mono_ms(), due = next_ms(w);
    int n = epoll_wait(w->epoll, event, EVENTS_MAX, due <= now ? 0 : due - now > INT_MAX ? INT_MAX : (int)(due - now));
    int r = 0;

    if (n < 0)
        return errno == EINTR ? 0 : err_set(e, -errno, "epoll: %s", strerror(errno));
    for (int i = 0; i < n && r == 0; i++) {
        struct ear *ear = event[i].data.ptr;

        if (!ear->target->gone)
            r = on_signal(w, ear, e);
    }
    now = clock_mono_ms();
    for (size_t i = 0; i < w->count && r == 0; i++)
        if (!w->target[i].gone)
            r = on_time(w, &w->target[i], now, e);
    return r == 0 ? listen_again(w, now, e) : r;
}

/* The start */

static int open_target(const char *name, struct target *ret, struct err *e)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    uint64_t pid;
    int r;

    ret->name = name;
    if (text_parse_uint(name, INT_MAX, &pid) < 0)
        return memcg_open_path(name, &ret->memcg, e);
    if ((r = proc_open("/proc", (pid_t)pid, &p)) < 0)
        return err_set(e, r, "process %s: %s", name, strerror(-r));
    return memcg_open(&p, &ret->memcg, e);
}

/* Those that don't work have been told by the survey. Without pressure of its own a cgroup has the machine's, which is
 * listened to once. */
static int listen_to_all(struct watch *w, struct target *t)
{
    struct memsignal_want want = {
        .usage_bytes = t->threshold == UINT64_MAX ? 0 : t->threshold,
        .level = (enum memsignal_level)w->o->pressure,
        .stall_us = (uint32_t)w->o->stall_ms * 1000,
        .window_us = (uint32_t)w->o->window_ms * 1000,
    };
    int r = 0;

    for (unsigned i = 0; MEMSIGNALS[i] && r == 0; i++) {
        struct memsignal *s = &t->signal[t->signals];

        if ((MEMSIGNALS[i] == &MEMSIGNAL_PSI && !t->memcg.v2 && t != w->target) ||
            memsignal_open(MEMSIGNALS[i], &t->memcg, &want, s, NULL) < 0)
            continue;
        w->ear[w->ears] = (struct ear){.target = t, .signal = s};
        t->signals++;
        r = listen_to(w, &w->ear[w->ears++]);
    }
    return r;
}

static int start(struct watch *w, char **names, struct err *e)
{
    w->target = calloc(w->count, sizeof(*w->target));
    w->ear = calloc(w->count * SIGNALS_MAX, sizeof(*w->ear));
    if (!w->target || !w->ear)
        return err_set(e, -ENOMEM, "out of memory");
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0)
        return err_set(e, -errno, "epoll: %s", strerror(errno));
    for (size_t i = 0; i < w->count; i++)
        w->target[i].memcg = (struct memcg)MEMCG_NONE;
    for (size_t i = 0; i < w->count; i++) {
        struct target *t = &w->target[i];
        int r;

        if ((r = open_target(names[i], t, e)) < 0)
            return r;
        w->left++;
        t->limit = memcg_limit(&t->memcg);
        if ((r = parse_threshold(w->o->threshold, t->limit, &t->threshold, e)) < 0 || (r = print_start(w, t, e)) < 0)
            return r;
        if (w->o->signals && (r = listen_to_all(w, t)) < 0)
            return err_set(e, r, "epoll: %s", strerror(-r));
    }
    return 0;
}

static void watch_done(struct watch *w)
{
    for (size_t i = 0; w->target && i < w->count; i++) {
        for (unsigned n = 0; n < w->target[i].signals; n++)
            memsignal_done(&w->target[i].signal[n]);
        memcg_done(&w->target[i].memcg);
    }
    free(w->target);
    free(w->ear);
    mem_close_ptr(&w->epoll);
    buf_done(&w->line);
}

/* Up to a dozen descriptors a cgroup, and the usual soft limit is 1024, for the sake of select(2) alone. */
static void want_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run_on(const struct memwatch_options *o, char **names, int count, struct err *e)
{
    CLEANUP(watch_done) struct watch w = {.o = o, .count = (size_t)count, .epoll = -1};
    int r;

    if (count == 0)
        return err_set(e, -FAULT_USAGE, "memwatch: of what? salvage memwatch PID|CGROUP...");
    if (o->stall_ms > o->window_ms || o->window_ms > WINDOW_MAX_MS)
        return err_set(e, -FAULT_USAGE, "memwatch: --stall is a part of --window, which is 10 s at most");
    want_descriptors();
    if ((r = start(&w, names, e)) < 0)
        return r;
    w.end_ms = o->for_ms ? clock_mono_ms() + o->for_ms : 0;
    interrupt_catch();
    while (r == 0 && w.left > 0 && !interrupt_caught() && (w.end_ms == 0 || clock_mono_ms() < w.end_ms))
        r = wait_for_something(&w, e);
    return r;
}

static int run(int argc, char **argv)
{
    struct memwatch_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(MEMWATCH_OPTIONS, argc, argv, &o, &operands, &e);

    if (r >= 0)
        r = run_on(&o, operands, r, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_MEMWATCH = {
    .name = "memwatch",
    .args = "PID|CGROUP...",
    .summary = "What the kernel tells of memory cgroups, line by line",
    .text =
        "Prints, as a JSON object on each line, which signals the kernel offers for each cgroup (a process's, or a "
        "folder below /sys/fs/cgroup), each signal as it comes, and samples of usage, limit, speed and the time that "
        "is "
        "left. It changes nothing and makes no evidence.\n\n"
        "\"at\" is the monotonic clock in seconds. The limit is that of the level with the least room: the cgroup "
        "itself is level 0, its pod may be 1. What is used doesn't count cached pages of files that can be dropped. "
        "Between samples passes a quarter of the time that is left at the present speed, from 5 ms to 1 s.",
    .examples = "salvage memwatch 4711\n"
                "    until the process's cgroup is gone\n"
                "salvage memwatch --threshold 400M --for 1m /sys/fs/cgroup/memory/docker/*\n"
                "    all containers of Docker, for a minute\n",
    .options = MEMWATCH_OPTIONS,
    .hidden = true,
    .run = run,
};
