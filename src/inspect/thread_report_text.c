/* SPDX-License-Identifier: Apache-2.0
 *
 * The report as text: the worst first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inspect/report_parts.h"
#include "inspect/thread_report.h"

enum { INDENT = 13, QUEUE_ROWS = 3 };

struct print {
    const struct thread_report *r;
    const struct thread_report_view *view;
    const struct thread_dump *d;
    FILE *out;
};

static void head(const struct print *p, const char *name)
{
    fprintf(p->out, "  %s%-11s%s", p->view->bold && *name ? "\033[1m" : "", name,
            p->view->bold && *name ? "\033[0m" : "");
}

/* "12 × http-nio-8080-exec-#" */
static void put_group(const struct print *p, const struct thread_group *g)
{
    fprintf(p->out, "%" PRIu32 " × ", g->count);
    report_put(p->out, !g->name ? "several" : *g->name ? g->name : "(without names)");
}

static void put_thread(const struct print *p, const struct dumped_thread *t)
{
    if (*t->name) {
        fputs("\"", p->out);
        report_put(p->out, t->name);
        fputs("\"", p->out);
    } else {
        fprintf(p->out, "%s #%" PRIu64, t->is_virtual ? "virtual thread" : "thread", t->id);
    }
}

static const char *short_class(const char *name)
{
    const char *dot = strrchr(name, '.'), *slash = strrchr(name, '/');

    dot = dot > slash ? dot : slash;
    return dot ? dot + 1 : name;
}

/* "0x00000000ffd1e278 (ReentrantLock$NonfairSync)"; an id that has the class says it already. */
static void put_lock(const struct print *p, uint32_t lock)
{
    const struct dumped_lock *l = lock == THREAD_NONE ? NULL : &p->d->lock[lock];

    report_put(p->out, l ? l->id : "a lock");
    if (l && *l->class_name && !strchr(l->id, '@')) {
        fputs(" (", p->out);
        report_put(p->out, short_class(l->class_name));
        fputs(")", p->out);
    }
}

static void put_where(const struct print *p, const struct dumped_thread *t)
{
    const char *where = thread_where(&p->r->dumps, p->d, t);

    if (!where)
        return;
    fputs(" at ", p->out);
    report_put(p->out, where);
}

static void print_head(const struct print *p)
{
    const struct thread_report *r = p->r;
    size_t own = r->doing[THREAD_OTHER], all = p->d->thread_count;

    if (r->name) {
        report_put(p->out, r->name);
        fputs(" · ", p->out);
    }
    if (*p->d->time) {
        report_put(p->out, p->d->time);
        fputs(" · ", p->out);
    }
    fprintf(p->out, "%zu thread%s", all - own, all - own == 1 ? "" : "s");
    if (own)
        fprintf(p->out, ", %zu of the JVM's own", own);
    if (*p->d->jvm) {
        fputs(" · ", p->out);
        report_put(p->out, p->d->jvm);
    }
    fputs("\n", p->out);
    if (r->dumps.cut)
        fprintf(p->out, "  The dump is not whole: %s\n", r->dumps.cut);
}

static void put_doing(const struct print *p, const uint32_t *doing, const char *between)
{
    bool first = true;

    for (int a = 0; a < THREAD_OTHER; a++) {
        if (!doing[a])
            continue;
        fprintf(p->out, "%s%" PRIu32 " %s", first ? "" : between, doing[a],
                thread_activity_name((enum thread_activity)a));
        first = false;
    }
}

static void print_deadlocks(const struct print *p)
{
    for (size_t i = 0; i < p->r->waits.deadlock_count; i++) {
        const struct thread_deadlock *found = &p->r->waits.deadlock[i];

        for (uint32_t n = 0; n < found->count; n++) {
            const struct dumped_thread *t = &p->d->thread[found->thread[n]];

            head(p, n == 0 ? "DEADLOCK" : "");
            put_thread(p, t);
            put_where(p, t);
            fputs(" waits for ", p->out);
            put_lock(p, t->lock);
            fputs(" held by ", p->out);
            put_thread(p, &p->d->thread[found->thread[(n + 1) % found->count]]);
            fputs("\n", p->out);
        }
        if (found->behind)
            fprintf(p->out, "%*s%" PRIu32 " more wait behind %s\n", INDENT, "", found->behind,
                    found->count == 1 ? "it" : "them");
    }
}

/* The stacks of those who wait for the lock itself. */
static void print_queued(const struct print *p, const struct thread_queue *q)
{
    unsigned rows = 0;

    for (size_t i = 0; i < p->r->stacks.count && rows < QUEUE_ROWS; i++) {
        const struct thread_group *g = &p->r->stacks.group[i];
        const struct dumped_thread *t = &p->d->thread[g->first];

        if (t->lock != q->lock || t->wait == THREAD_AWAITS_NOTIFY)
            continue;
        fprintf(p->out, "%*s", INDENT, "");
        put_group(p, g);
        put_where(p, t);
        fputs("\n", p->out);
        rows++;
    }
}

static void print_queues(const struct print *p)
{
    for (size_t i = 0; i < p->r->waits.queue_count && i < p->view->top; i++) {
        const struct thread_queue *q = &p->r->waits.queue[i];

        head(p, "BLOCKED");
        fprintf(p->out, "%" PRIu32 " thread%s for ", q->all, q->all == 1 ? " waits" : "s wait");
        put_lock(p, q->lock);
        if (q->owner == THREAD_NONE) {
            fputs(", the dump has no owner of it", p->out);
        } else {
            const struct dumped_thread *t = &p->d->thread[q->owner];

            fputs(" held by ", p->out);
            put_thread(p, t);
            fprintf(p->out, ", %s", thread_activity_name(thread_activity_of(&p->r->dumps, p->d, t)));
            put_where(p, t);
        }
        if (q->all > q->direct)
            fprintf(p->out, " (%" PRIu32 " of them behind others)", q->all - q->direct);
        fputs("\n", p->out);
        if (q->direct > 1)
            print_queued(p, q);
    }
}

static void print_pools(const struct print *p)
{
    unsigned rows = 0;

    for (size_t i = 0; i < p->r->pools.count && rows < p->view->top; i++) {
        const struct thread_group *g = &p->r->pools.group[i];

        if (g->count < 2)
            break;
        head(p, rows++ == 0 ? "POOLS" : "");
        report_put(p->out, g->name && *g->name ? g->name : "(without names)");
        fprintf(p->out, " × %" PRIu32 ": ", g->count);
        put_doing(p, g->doing, ", ");
        fputs("\n", p->out);
    }
}

/* Less than a hundredth of a core is nothing. */
static void print_cpu(const struct print *p)
{
    const struct thread_comparison *c = &p->r->comparison;
    unsigned rows = 0;

    for (size_t i = 0; i < p->r->busy_count && rows < p->view->top; i++) {
        uint32_t n = p->r->busiest[i];
        const struct dumped_thread *t = &p->d->thread[n];

        if (c->span_ms[n] > 0 && c->cpu_ms[n] * 100 < c->span_ms[n])
            continue;
        head(p, rows++ == 0 ? "CPU" : "");
        if (c->span_ms[n] > 0)
            fprintf(p->out, "%5.1f %% of a core, ", c->cpu_ms[n] * 100 / c->span_ms[n]);
        fprintf(p->out, "%.2f s: ", c->cpu_ms[n] / 1000);
        put_thread(p, t);
        put_where(p, t);
        fputs("\n", p->out);
    }
}

/* Threads that wait for work stand still rightly; one that spins has its line below CPU. */
static void print_comparison(const struct print *p)
{
    const struct thread_comparison *c = &p->r->comparison;
    unsigned rows = 0;

    if (c->dumps < 2)
        return;
    head(p, "COMPARED");
    fprintf(p->out, "%zu dumps", c->dumps);
    if (c->ms > 0)
        fprintf(p->out, " in %.1f s", c->ms / 1000);
    fprintf(p->out, ": %" PRIu32 " threads have the same stack in all, %" PRIu32 " started, %" PRIu32 " ended\n",
            c->same, c->started, c->ended);
    for (size_t i = 0; i < p->r->unmoved.count && rows < p->view->top; i++) {
        const struct thread_group *g = &p->r->unmoved.group[i];
        const struct dumped_thread *t = &p->d->thread[g->first];

        head(p, rows++ == 0 ? "UNMOVED" : "");
        put_group(p, g);
        fprintf(p->out, ", %s", thread_activity_name(thread_activity_of(&p->r->dumps, p->d, t)));
        put_where(p, t);
        fputs("\n", p->out);
    }
}

static void print_stacks(const struct print *p)
{
    unsigned rows = 0;

    for (size_t i = 0; i < p->r->stacks.count && rows < p->view->top; i++) {
        const struct thread_group *g = &p->r->stacks.group[i];
        const struct dumped_thread *t = &p->d->thread[g->first];

        if (g->count < 2)
            break;
        if (g->doing[THREAD_IDLE] == g->count)
            continue;
        head(p, rows++ == 0 ? "STACKS" : "");
        put_group(p, g);
        fprintf(p->out, ", %s", thread_activity_name(thread_activity_of(&p->r->dumps, p->d, t)));
        put_where(p, t);
        fputs("\n", p->out);
    }
}

static void print_stack(const struct print *p, const struct thread_group *g)
{
    const struct dumped_thread *t = &p->d->thread[g->first];

    fprintf(p->out, "\n  ");
    if (g->count > 1)
        fprintf(p->out, "%" PRIu32 " × ", g->count);
    if (g->name && *g->name) {
        fputs("\"", p->out);
        report_put(p->out, g->name);
        fputs("\"", p->out);
    } else if (g->count > 1) {
        fputs("threads", p->out);
    } else {
        put_thread(p, t);
    }
    fprintf(p->out, " %s, %s", thread_state_name(t->state),
            thread_activity_name(thread_activity_of(&p->r->dumps, p->d, t)));
    if (t->lock != THREAD_NONE) {
        fputs(t->wait == THREAD_ENTERS ? " on " : ", waits for ", p->out);
        put_lock(p, t->lock);
    }
    fputs("\n", p->out);
    for (uint32_t f = 0; f < t->frame_count; f++) {
        fputs("      at ", p->out);
        report_put(p->out, p->r->dumps.text[p->d->frame[t->frame + f]]);
        fputs("\n", p->out);
    }
}

void thread_report_print(const struct thread_report *r, const struct thread_report_view *view, FILE *out)
{
    const struct print p = {r, view, &r->dumps.dump[r->dumps.count - 1], out};

    print_head(&p);
    head(&p, "THREADS");
    put_doing(&p, r->doing, " · ");
    fputs("\n", out);
    print_deadlocks(&p);
    print_queues(&p);
    print_comparison(&p);
    print_cpu(&p);
    print_pools(&p);
    if (!view->threads)
        print_stacks(&p);
    for (size_t i = 0; view->threads && i < r->stacks.count; i++)
        print_stack(&p, &r->stacks.group[i]);
}
