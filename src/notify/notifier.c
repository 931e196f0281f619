/* SPDX-License-Identifier: Apache-2.0
 *
 * What waits for a target is taken in groups of like cases. A group that had a notice lately waits; then its newest
 * case goes, with the number of the others.
 */
#include "notify/notifier.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "notify/deliver.h"
#include "notify/queue.h"

enum { RECENT_MAX = 256, SOON_FIRST_MS = 1000, SOON_MOST_MS = 5 * 60 * 1000, SLOWLY_MS = 5 * 60 * 1000 };

/* A kind of case that a target had a notice of. */
struct recent {
    struct notice like; /* only what notice_alike compares */
    uint64_t again_ms;  /* monotonic: the next notice of it may go then; 0: an unused slot */
};

struct line {
    struct retry_state retry;
    uint64_t next_ms; /* monotonic: the target is not tried before; 0: at once */
    struct recent recent[RECENT_MAX];
    unsigned recent_next;
};

struct notifier {
    struct notifier_config config;
    struct http *http;
    struct line line[TARGETS_MAX];
};

int notifier_new(const struct notifier_config *config, struct notifier **ret, struct err *e)
{
    struct notifier *n;
    int r;

    assert(config && config->dirfd >= 0 && config->targets && ret);
    if (!(n = calloc(1, sizeof(*n))))
        return err_set(e, -ENOMEM, "out of memory");
    n->config = *config;
    if (!n->config.every_ms)
        n->config.every_ms = NOTIFY_EVERY_MS;
    if (!n->config.give_up_ms)
        n->config.give_up_ms = NOTIFY_GIVE_UP_MS;
    if ((r = http_new(&config->http, &n->http, e)) < 0) {
        free(n);
        return r;
    }
    *ret = n;
    return 0;
}

void notifier_free(struct notifier *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < TARGETS_MAX; i++)
        for (size_t j = 0; j < RECENT_MAX; j++)
            notice_done(&n->line[i].recent[j].like);
    http_free(n->http);
    free(n);
}

/* When a notice of this kind may go; 0: now. */
static uint64_t held_until(const struct line *line, const struct notice *notice, uint64_t now_ms)
{
    for (size_t i = 0; i < RECENT_MAX; i++)
        if (line->recent[i].again_ms > now_ms && notice_alike(&line->recent[i].like, notice))
            return line->recent[i].again_ms;
    return 0;
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

/* The oldest slot goes: a kind that is forgotten early gets a notice too many. Without memory, too. */
static void remember(struct line *line, const struct notice *notice, uint64_t again_ms)
{
    struct recent *slot = &line->recent[line->recent_next];

    for (size_t i = 0; i < RECENT_MAX; i++)
        if (line->recent[i].again_ms && notice_alike(&line->recent[i].like, notice))
            slot = &line->recent[i];
    if (slot == &line->recent[line->recent_next])
        line->recent_next = (line->recent_next + 1) % RECENT_MAX;
    notice_done(&slot->like);
    slot->like = (struct notice){.namespace = copy(notice->namespace),
                                 .workload = copy(notice->workload),
                                 .place = copy(notice->place),
                                 .cause = copy(notice->cause)};
    slot->again_ms = again_ms;
}

static void drop(struct notifier *n, const struct target *t, const struct queued *q, const char *reason)
{
    queue_remove(n->config.dirfd, t, q->name);
    log_event(EVENT_NOTICE_DROPPED, LOG_STR("target", t->name), LOG_STR("case", q->notice.id),
              LOG_STR("reason", reason));
}

/* Delivers the newest of the group of `first`, and removes the group. */
static int deliver_group(struct notifier *n, const struct target *t, struct queue *q, size_t first, struct err *e)
{
    size_t newest = first, i;
    uint64_t others = q->item[first].notice.more;
    int r;

    for (i = first + 1; i < q->count; i++)
        if (notice_alike(&q->item[first].notice, &q->item[i].notice)) {
            others += 1 + q->item[i].notice.more;
            newest = i;
        }
    q->item[newest].notice.more = others;
    if ((r = deliver(t, &q->item[newest].notice, n->http, e)) < 0)
        return r;
    log_event(EVENT_NOTICE_SENT, LOG_STR("target", t->name), LOG_STR("case", q->item[newest].notice.id),
              LOG_UINT("more", others));
    for (i = q->count; i-- > first;)
        if (i == first || notice_alike(&q->item[first].notice, &q->item[i].notice))
            queue_remove(n->config.dirfd, t, q->item[i].name);
    return 0;
}

static uint64_t later(struct notifier *n, size_t index, int result, const struct err *e)
{
    const struct target *t = &n->config.targets->target[index];
    struct line *line = &n->line[index];
    struct retry_policy policy = {.soon = {SOON_FIRST_MS, SOON_MOST_MS}, .slowly = {SLOWLY_MS, SLOWLY_MS}};
    uint64_t now = clock_mono_ms();
    struct retry_decision d = retry_decide(&line->retry, &policy, result, e->retry_after_ms, now);

    if (d.fresh)
        log_event(EVENT_NOTICE_WAITS, LOG_STR("target", t->name), LOG_STR("error", e->msg),
                  LOG_STR("fault", fault_find(result)->name));
    line->next_ms = now + d.delay_ms;
    return d.delay_ms;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool is_of_earlier_group(const struct queue *q, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (notice_alike(&q->item[i].notice, &q->item[at].notice))
            return true;
    return false;
}

static uint64_t run_groups(struct notifier *n, size_t index, struct queue *q)
{
    const struct target *t = &n->config.targets->target[index];
    struct line *line = &n->line[index];
    uint64_t wait = UINT64_MAX;

    for (size_t i = 0; i < q->count; i++) {
        uint64_t now = clock_mono_ms(), until = held_until(line, &q->item[i].notice, now);
        struct err e = {0};
        int r;

        if (is_of_earlier_group(q, i))
            continue;
        if (until) {
            wait = smaller(wait, until - now);
            continue;
        }
        if ((r = deliver_group(n, t, q, i, &e)) < 0)
            return smaller(wait, later(n, index, r, &e));
        retry_succeeded(&line->retry);
        remember(line, &q->item[i].notice, clock_mono_ms() + n->config.every_ms);
    }
    return wait;
}

/* Drops what is too old, by the wall clock: the queue outlives us. A clock that was set back makes nothing old. */
static void drop_old(struct notifier *n, const struct target *t, struct queue *q)
{
    int64_t now = clock_wall_ns();
    size_t kept = 0;

    for (size_t i = 0; i < q->count; i++) {
        if (now - q->item[i].put_ns > (int64_t)n->config.give_up_ms * 1000000) {
            drop(n, t, &q->item[i], "it could not be delivered for too long");
            notice_done(&q->item[i].notice);
        } else {
            q->item[kept++] = q->item[i];
        }
    }
    q->count = kept;
}

static uint64_t run_target(struct notifier *n, size_t index)
{
    const struct target *t = &n->config.targets->target[index];
    CLEANUP(queue_done) struct queue q = {0};
    uint64_t now = clock_mono_ms();
    struct err e = {0};
    int r;

    if (n->line[index].next_ms > now)
        return n->line[index].next_ms - now;
    if ((r = queue_load(n->config.dirfd, t, &q, &e)) < 0)
        return later(n, index, r, &e);
    if (q.damaged)
        log_event(EVENT_NOTICE_DROPPED, LOG_STR("target", t->name), LOG_UINT("count", q.damaged),
                  LOG_STR("reason", "damaged"));
    drop_old(n, t, &q);
    return run_groups(n, index, &q);
}

uint64_t notifier_run(struct notifier *n)
{
    uint64_t wait = UINT64_MAX;

    assert(n);
    for (size_t i = 0; i < n->config.targets->count; i++)
        wait = smaller(wait, run_target(n, i));
    return wait;
}
