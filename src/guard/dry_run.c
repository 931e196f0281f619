/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of a dry run: a guard's targets without its child processes.
 */
#include "guard/dry_run.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "guard/dry_run_print.h"
#include "hotspot/dumpspeed.h"
#include "linux/cgroupns.h"
#include "linux/interrupt.h"

enum {
    EVENTS_MAX = 64,
    WAIT_MAX_MS = 1000, /* a signal that arrives just before the wait is noticed after it */
    REDRAW_MS = 100,    /* the least time between two tables, or two printed notices */
    NOTE_MAX = 2048
};

struct dry_run {
    const struct dry_run_config *c;
    struct target_set targets;
    struct buf text;
    char *notices; /* owned */
    char note[NOTE_MAX];
    unsigned rows; /* of the table on the terminal */
    bool redraw;
    uint64_t drawn_ms;
    struct err failed; /* of writing */
    int result;
};

/* --- output ---------------------------------------------------------------------------------------------------------
 */

static void put(struct dry_run *d, int r)
{
    if (r < 0)
        r = err_set(&d->failed, r, "out of memory");
    else
        r = d->c->write(d->text.data ? d->text.data : "", d->text.size, &d->failed);
    if (d->result == 0 && r < 0)
        d->result = r;
    buf_clear(&d->text);
}

/* Prints a target as a line or an object; a table is drawn as a whole. */
static void print(struct dry_run *d, struct target *t)
{
    struct dry_run_view *v = t->owner;

    if (d->c->format == DRY_RUN_TABLE) {
        d->redraw = true;
        return;
    }
    put(d, d->c->format == DRY_RUN_JSON ? dry_run_print_json(d->c, v, d->notices, &d->text)
                                        : dry_run_print_line(d->c, v, &d->text));
    v->printed_ms = clock_mono_ms();
    t->arrived = 0;
}

static struct dry_run_screen terminal(const struct dry_run *d)
{
    struct winsize size;
    struct dry_run_screen screen = {.columns = 80, .rows = 24, .colours = d->c->colours};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 && size.ws_row > 5) {
        screen.columns = size.ws_col;
        screen.rows = size.ws_row;
    }
    return screen;
}

/* Draws over the last table: up by its rows, each line cleared to its end, then all below. */
static void draw(struct dry_run *d)
{
    const struct dry_run_view *views[TARGET_SET_MAX];
    struct dry_run_table table = {.screen = terminal(d), .views = views, .count = d->targets.count, .note = d->note};
    int r = d->rows ? buf_printf(&d->text, "\033[%uA", d->rows) : 0;

    for (size_t i = 0; i < d->targets.count; i++)
        views[i] = d->targets.target[i]->owner;
    if (r == 0)
        r = dry_run_print_table(d->c, &table, &d->text, &d->rows);
    put(d, r < 0 ? r : buf_add_text(&d->text, "\033[J"));
    d->redraw = false;
    d->drawn_ms = clock_mono_ms();
}

/* --- targets --------------------------------------------------------------------------------------------------------
 */

/* Without memory for a view the target is not shown; the next allocation fails the run. */
static void on_added(void *ctx, struct target *t, const char *notices)
{
    struct dry_run *d = ctx;
    struct dry_run_view *v = calloc(1, sizeof(*v));

    if (notices && !d->notices)
        d->notices = strdup(notices);
    if (!(t->owner = v)) {
        d->result = err_set(&d->failed, -ENOMEM, "out of memory");
        return;
    }
    v->target = t;
    v->limit = memcg_limit(&t->memcg);
}

static void on_renamed(void *ctx, struct target *t, const char *before)
{
    (void)before;
    if (t->owner && ((struct dry_run_view *)t->owner)->polled)
        print(ctx, t);
}

static void on_removed(void *ctx, struct target *t)
{
    struct dry_run *d = ctx;
    struct dry_run_view *v = t->owner;

    if (!v)
        return;
    v->gone = true;
    snprintf(d->note, sizeof(d->note), "%s is gone", t->name);
    print(d, t);
    free(v);
    t->owner = NULL;
}

static void on_unwatched(void *ctx, pid_t pid, const char *cgroup, const struct err *e)
{
    struct dry_run *d = ctx;

    snprintf(d->note, sizeof(d->note), "not watched: %.1000s (process %d): %s", cgroup, (int)pid, e->msg);
    if (d->c->format != DRY_RUN_TABLE)
        fprintf(stderr, "salvage: %s\n", d->note);
    d->redraw = true;
}

/* Counts a case as begun and complete at once. */
static void trigger(struct dry_run *d, struct target *t, const char *why, uint64_t now)
{
    struct dry_run_view *v = t->owner;

    v->triggered_ns = clock_wall_ns();
    snprintf(v->triggered_by, sizeof(v->triggered_by), "%s", why);
    v->victim = target_victim(t);
    rule_done(d->targets.rule, t->number, true, now);
}

/* Whether the target has to be shown before the interval is over. */
static bool update(struct dry_run *d, struct target *t, const struct rule_decision *decision)
{
    struct dry_run_view *v = t->owner;
    uint64_t limit = memcg_limit(&t->memcg);
    bool changed = !v->polled || limit != v->limit || decision->answer == RULE_TRIGGER ||
                   (v->reading.events.known && v->reading.events.value != 0);

    for (unsigned i = 0; i < d->c->rules.count; i++) {
        enum condition_verdict now = condition_evaluate(&d->c->rules.when[i], &v->reading, false, NULL);

        changed |= now != v->verdict[i];
        v->verdict[i] = now;
    }
    if (decision->report || decision->answer != v->answer)
        snprintf(v->why, sizeof(v->why), "%s", decision->why);
    changed |= decision->report;
    v->answer = decision->answer;
    v->limit = limit;
    v->polled = true;
    return changed;
}

static void on_polled(void *ctx, struct target *t, struct reading *r, uint64_t now)
{
    struct dry_run *d = ctx;
    struct dry_run_view *v = t->owner;
    struct rule_decision decision;
    bool notice = d->c->format == DRY_RUN_JSON && t->arrived != 0;

    if (!v)
        return;
    target_set_evaluate(&d->targets, t, r, now, &decision);
    v->reading = *r;
    if (decision.answer == RULE_TRIGGER)
        trigger(d, t, decision.why, now);
    if (update(d, t, &decision) || (notice && now - v->printed_ms >= REDRAW_MS))
        print(d, t);
}

static const struct target_set_ops TARGET_OPS = {
    .added = on_added, .renamed = on_renamed, .polled = on_polled, .removed = on_removed, .unwatched = on_unwatched};

/* --- the loop -------------------------------------------------------------------------------------------------------
 */

/* Polls all targets. Lines are printed for changes only. */
static void sample_all(struct dry_run *d, uint64_t now)
{
    for (size_t i = 0; i < d->targets.count; i++)
        d->targets.target[i]->due_ms = now;
    target_set_turn(&d->targets);
    for (size_t i = 0; i < d->targets.count && d->c->format == DRY_RUN_JSON; i++) {
        const struct dry_run_view *v = d->targets.target[i]->owner;

        if (v && v->polled && v->printed_ms < now)
            print(d, d->targets.target[i]);
    }
    d->redraw = true;
}

static void wait_until(struct dry_run *d, uint64_t due)
{
    struct epoll_event events[EVENTS_MAX];
    uint64_t now = clock_mono_ms(), next = target_set_due_ms(&d->targets);
    int n;

    next = next < due ? next : due;
    next = next > now + WAIT_MAX_MS ? now + WAIT_MAX_MS : next;
    n = epoll_wait(d->targets.epoll, events, EVENTS_MAX, next <= now ? 0 : (int)(next - now));
    for (int i = 0; i < n; i++) {
        struct target_notice *notice = events[i].data.ptr;

        target_read_notice(notice->target, notice->signal, clock_mono_ms());
    }
}

static void loop(struct dry_run *d)
{
    uint64_t now = clock_mono_ms(), sample_at = now, end_at = d->c->for_ms ? now + d->c->for_ms : UINT64_MAX;

    while (d->result == 0 && !interrupt_caught() && (d->c->selection.all || d->targets.count > 0) && now < end_at) {
        if (now >= sample_at) {
            sample_all(d, now);
            sample_at = now + d->c->interval_ms;
        } else {
            target_set_turn(&d->targets);
        }
        if (d->redraw && d->c->format == DRY_RUN_TABLE && now >= d->drawn_ms + REDRAW_MS)
            draw(d);
        wait_until(d, sample_at < end_at ? sample_at : end_at);
        now = clock_mono_ms();
    }
    if (d->redraw && d->c->format == DRY_RUN_TABLE)
        draw(d);
}

static void dry_run_free(struct dry_run *d)
{
    for (size_t i = 0; d && i < d->targets.count; i++)
        free(d->targets.target[i]->owner);
    if (d) {
        target_set_done(&d->targets);
        buf_done(&d->text);
        free(d->notices);
    }
    free(d);
}

DEFINE_CLEANUP(struct dry_run *, dry_run_free)

int dry_run(const struct dry_run_config *c, struct err *e)
{
    CLEANUP(dry_run_free_ptr) struct dry_run *d = calloc(1, sizeof(*d));
    const struct target_set_config targets = {&c->selection, &c->rules, &TARGET_OPS, d};
    int r;

    assert(c->write && c->interval_ms > 0 && c->rules.count > 0);
    if (!d)
        return err_set(e, -ENOMEM, "out of memory");
    d->c = c;
    if ((r = target_set_init(&d->targets, &targets, e)) < 0)
        return r;
    d->targets.policy.dump_rate = c->dump_rate ? c->dump_rate : DUMPSPEED_GUESS;
    d->targets.policy.core = c->core;
    cgroupns_enter_first(); /* as guard does, to see the same cgroups */
    interrupt_catch();
    if ((r = target_set_start(&d->targets, e)) < 0)
        return r;
    loop(d);
    if (d->result < 0)
        *e = d->failed;
    return d->result;
}
