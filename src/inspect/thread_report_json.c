/* SPDX-License-Identifier: Apache-2.0
 *
 * The report as JSON.
 */
#include "inspect/report_parts.h"
#include "inspect/thread_report.h"

/* What the numbers refer to. */
struct source {
    const struct thread_report *r;
    const struct thread_dump *d;
};

/* Milliseconds as the dump has them; null if it has none. */
static json_t *millis(double ms)
{
    return ms >= 0 ? json_real(ms) : json_null();
}

static json_t *lock_json(const struct source *s, uint32_t lock)
{
    const struct dumped_lock *l = lock == THREAD_NONE ? NULL : &s->d->lock[lock];

    return l ? json_pack("{so so}", "id", report_text(l->id), "class", report_text(l->class_name)) : json_null();
}

static json_t *frames_json(const struct source *s, const struct dumped_thread *t)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < t->frame_count; i++)
        json_array_append_new(array, report_text(s->r->dumps.text[s->d->frame[t->frame + i]]));
    return array;
}

static json_t *activity(const struct source *s, const struct dumped_thread *t)
{
    return report_text(thread_activity_name(thread_activity_of(&s->r->dumps, s->d, t)));
}

static json_t *where(const struct source *s, const struct dumped_thread *t)
{
    return report_text(thread_where(&s->r->dumps, s->d, t));
}

static json_t *doing_json(const uint32_t *doing)
{
    json_t *o = json_object();

    for (int a = 0; a < THREAD_ACTIVITIES; a++)
        if (doing[a])
            json_object_set_new(o, thread_activity_name((enum thread_activity)a), report_number(doing[a]));
    return o;
}

static json_t *deadlock_json(const struct source *s, const struct thread_deadlock *found)
{
    json_t *threads = json_array();

    for (uint32_t i = 0; i < found->count; i++) {
        const struct dumped_thread *t = &s->d->thread[found->thread[i]];

        json_array_append_new(threads, json_pack("{so so so so}", "name", report_text(t->name), "waits_for",
                                                 lock_json(s, t->lock), "held_by",
                                                 report_text(s->d->thread[found->thread[(i + 1) % found->count]].name),
                                                 "at", where(s, t)));
    }
    return json_pack("{so so}", "threads", threads, "behind", report_number(found->behind));
}

static json_t *queue_json(const struct source *s, const struct thread_queue *q)
{
    const struct dumped_thread *owner = q->owner == THREAD_NONE ? NULL : &s->d->thread[q->owner];

    return json_pack("{so so so so so so}", "lock", lock_json(s, q->lock), "threads", report_number(q->all), "direct",
                     report_number(q->direct), "owner", owner ? report_text(owner->name) : json_null(), "owner_doing",
                     owner ? activity(s, owner) : json_null(), "owner_at", owner ? where(s, owner) : json_null());
}

static json_t *group_json(const struct source *s, const struct thread_group *g, bool frames)
{
    const struct dumped_thread *t = &s->d->thread[g->first];

    return json_pack("{so so so so*}", "name", report_text(g->name), "count", report_number(g->count), "doing",
                     doing_json(g->doing), "frames", frames ? frames_json(s, t) : NULL);
}

static json_t *groups_json(const struct source *s, const struct thread_groups *groups, bool frames)
{
    json_t *array = json_array();

    for (size_t i = 0; i < groups->count; i++)
        json_array_append_new(array, group_json(s, &groups->group[i], frames));
    return array;
}

static json_t *busy_json(const struct source *s, uint32_t thread)
{
    const struct dumped_thread *t = &s->d->thread[thread];

    return json_pack("{so so so so}", "name", report_text(t->name), "cpu_ms", millis(s->r->comparison.cpu_ms[thread]),
                     "of_ms", millis(s->r->comparison.span_ms[thread]), "at", where(s, t));
}

static json_t *thread_json(const struct source *s, uint32_t thread)
{
    const struct dumped_thread *t = &s->d->thread[thread];
    uint32_t blocker = s->r->waits.blocker[thread];
    json_t *held = json_array();

    for (uint32_t i = t->held; i < t->held + t->held_count; i++)
        json_array_append_new(held, lock_json(s, s->d->held[i].lock));
    return json_pack("{so so so so so sb sb so so so so so so so}", "name", report_text(t->name), "id",
                     report_number(t->id), "native_id", report_number(t->native_id), "state",
                     report_text(thread_state_name(t->state)), "doing", activity(s, t), "daemon", t->daemon, "virtual",
                     t->is_virtual, "carries", t->carries ? report_number(t->carries) : json_null(), "cpu_ms",
                     millis(t->cpu_ms), "elapsed_ms", millis(t->elapsed_ms), "waits_for", lock_json(s, t->lock),
                     "held_by", blocker == THREAD_NONE ? json_null() : report_text(s->d->thread[blocker].name), "holds",
                     held, "frames", frames_json(s, t));
}

static json_t *comparison_json(const struct source *s)
{
    const struct thread_comparison *c = &s->r->comparison;

    return json_pack("{so so so so so so}", "dumps", report_number(c->dumps), "ms", millis(c->ms), "same_stack",
                     report_number(c->same), "started", report_number(c->started), "ended", report_number(c->ended),
                     "unmoved", groups_json(s, &s->r->unmoved, true));
}

json_t *thread_report_json(const struct thread_report *r, const struct thread_report_view *view)
{
    const struct source s = {r, &r->dumps.dump[r->dumps.count - 1]};
    json_t *deadlocks = json_array(), *queues = json_array(), *busy = json_array(),
           *threads = view->threads ? json_array() : NULL;

    for (size_t i = 0; i < r->waits.deadlock_count; i++)
        json_array_append_new(deadlocks, deadlock_json(&s, &r->waits.deadlock[i]));
    for (size_t i = 0; i < r->waits.queue_count; i++)
        json_array_append_new(queues, queue_json(&s, &r->waits.queue[i]));
    for (size_t i = 0; i < r->busy_count; i++)
        json_array_append_new(busy, busy_json(&s, r->busiest[i]));
    for (uint32_t i = 0; view->threads && i < s.d->thread_count; i++)
        json_array_append_new(threads, thread_json(&s, i));
    return json_pack("{ss so so so so* so so so so so so so so so*}", "schema", "salvage.threads/1", "name",
                     report_text(r->name), "time", report_text(s.d->time), "jvm", report_text(s.d->jvm), "cut",
                     r->dumps.cut ? report_text(r->dumps.cut) : NULL, "threads", report_number(s.d->thread_count),
                     "doing", doing_json(r->doing), "deadlocks", deadlocks, "blocked", queues, "compared",
                     r->comparison.dumps > 1 ? comparison_json(&s) : json_null(), "cpu", busy, "pools",
                     groups_json(&s, &r->pools, false), "stacks", groups_json(&s, &r->stacks, true), "thread_table",
                     threads);
}
