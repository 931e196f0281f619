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
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "notify/deliver.h"
#include "notify/kube_line.h"
#include "notify/queue.h"

enum { RECENT_MAX = 256, SOON_FIRST_MS = 1000, SOON_MOST_MS = 5 * 60 * 1000, SLOWLY_MS = 5 * 60 * 1000 };

/* A kind of case that a target had a notice of. */
struct recent {
    struct notice like; /* only what is compared: see alike() */
    uint64_t again_ms;  /* monotonic: the next notice of it may go then */
    unsigned burst;     /* notices that went at once, one after the other */
};

struct line {
    struct retry_state retry;
    uint64_t next_ms;      /* monotonic: the target is not tried before; 0: at once */
    struct recent *recent; /* owned */
    size_t recent_count, recent_capacity;
    size_t recent_next;     /* with RECENT_MAX of them: the oldest */
    struct kube_line *kube; /* NULL: the target is none of Kubernetes' */
};

struct notifier {
    struct notifier_config config;
    struct http *http;
    int folder[NOTIFIER_FOLDERS_MAX];
    size_t folder_count;
    bool hurry;
    struct line line[NOTIFY_TARGETS_MAX];
};

int notifier_new(const struct notifier_config *config, struct notifier **ret, struct err *e)
{
    struct notifier *n;
    int r;

    assert(config && config->targets && ret);
    if (!(n = calloc(1, sizeof(*n))))
        return err_set(e, -ENOMEM, "out of memory");
    n->config = *config;
    if (!n->config.every_ms)
        n->config.every_ms = NOTIFY_EVERY_MS;
    if (!n->config.give_up_ms)
        n->config.give_up_ms = NOTIFY_GIVE_UP_MS;
    for (size_t i = 0; i < config->targets->count; i++)
        if (notify_target_is_kubernetes(&config->targets->target[i]) && !(n->line[i].kube = kube_line_new())) {
            notifier_free(n);
            return err_set(e, -ENOMEM, "out of memory");
        }
    if ((r = http_new(&config->http, &n->http, e)) < 0) {
        notifier_free(n);
        return r;
    }
    *ret = n;
    return 0;
}

void notifier_free(struct notifier *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < NOTIFY_TARGETS_MAX; i++) {
        for (size_t j = 0; j < n->line[i].recent_count; j++)
            notice_done(&n->line[i].recent[j].like);
        free(n->line[i].recent);
        kube_line_free(n->line[i].kube);
    }
    for (size_t i = 0; i < n->folder_count; i++)
        close(n->folder[i]);
    http_free(n->http);
    free(n);
}

static bool same_folder(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int notifier_add_folder(struct notifier *n, int fd)
{
    assert(n && fd >= 0);
    for (size_t i = 0; i < n->folder_count; i++)
        if (same_folder(n->folder[i], fd)) {
            close(fd);
            return 0;
        }
    if (n->folder_count == NOTIFIER_FOLDERS_MAX) {
        close(fd);
        return -E2BIG;
    }
    n->folder[n->folder_count++] = fd;
    return 0;
}

/* An event is about a pod, other notices are about its workload. */
static bool alike(const struct line *line, const struct notice *a, const struct notice *b)
{
    return line->kube ? notice_alike_in_pod(a, b) : notice_alike(a, b);
}

/* When a notice of this kind may go; 0: now. */
static uint64_t held_until(const struct line *line, const struct notice *notice, uint64_t now_ms)
{
    for (size_t i = 0; i < line->recent_count; i++)
        if (line->recent[i].again_ms > now_ms && alike(line, &line->recent[i].like, notice))
            return line->recent[i].again_ms;
    return line->kube ? kube_line_held_until(line->kube, notice, now_ms) : 0;
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

/* The slot of this kind of case, else a new one, else the oldest: a kind that is forgotten early gets a notice too
 * many.
 */
static struct recent *recent_slot(struct line *line, const struct notice *notice)
{
    struct recent *slot;

    for (size_t i = 0; i < line->recent_count; i++)
        if (alike(line, &line->recent[i].like, notice))
            return &line->recent[i];
    if (array_reserve(&line->recent, line->recent_count + 1, &line->recent_capacity, sizeof(*slot), RECENT_MAX) == 0) {
        slot = &line->recent[line->recent_count++];
        *slot = (struct recent){0};
        return slot;
    }
    if (line->recent_count == 0)
        return NULL; /* without memory */
    line->recent_next = (line->recent_next + 1) % line->recent_count;
    return &line->recent[line->recent_next];
}

static void remember(struct line *line, const struct notice *notice, uint64_t every_ms)
{
    struct recent *slot = recent_slot(line, notice);
    uint64_t now = clock_mono_ms();

    if (!slot)
        return;
    if (!alike(line, &slot->like, notice) || now > slot->again_ms + every_ms)
        slot->burst = 0;
    slot->burst++;
    slot->again_ms = line->kube && slot->burst < KUBE_LINE_POD_BURST ? now : now + every_ms;
    notice_done(&slot->like);
    slot->like = (struct notice){.namespace = copy(notice->namespace),
                                 .workload = copy(notice->workload),
                                 .place = copy(notice->place),
                                 .pod = copy(notice->pod),
                                 .pod_uid = copy(notice->pod_uid),
                                 .container = copy(notice->container),
                                 .cause = copy(notice->cause),
                                 .kind = copy(notice->kind)};
}

static void drop(const struct notify_target *t, const struct queued *q, const char *reason)
{
    queue_remove(t, q);
    log_event(EVENT_NOTICE_DROPPED, LOG_STR("target", t->name), LOG_STR("case", q->notice.id),
              LOG_STR("reason", reason));
}

static int send_one(struct notifier *n, size_t index, const struct notice *notice, bool *ret_fresh, struct err *e)
{
    const struct notify_target *t = &n->config.targets->target[index];
    int r;

    if (n->line[index].kube)
        return kube_line_send(n->line[index].kube, t, notice, ret_fresh, e);
    if ((r = deliver(t, notice, n->http, e)) == 0)
        log_event(EVENT_NOTICE_SENT, LOG_STR("target", t->name), LOG_STR("case", notice->id),
                  LOG_UINT("more", notice->more));
    return r;
}

static void remove_group(struct notifier *n, size_t index, struct queue *q, size_t first)
{
    for (size_t i = q->count; i-- > first;)
        if (i == first || alike(&n->line[index], &q->item[first].notice, &q->item[i].notice))
            queue_remove(&n->config.targets->target[index], &q->item[i]);
}

/* Kubernetes is an answer for each namespace and pod: what it does not take holds up no other notice. True: it was
 * such an answer. */
static bool settle_refusal(struct notifier *n, size_t index, const struct queued *q, int result, bool fresh,
                           const struct err *e)
{
    const struct notify_target *t = &n->config.targets->target[index];

    if (!n->line[index].kube || (result != -FAULT_DENIED && result != -FAULT_NO_OBJECT && result != -FAULT_REFUSED))
        return false;
    if (result != -FAULT_DENIED)
        drop(t, q, e->msg);
    else if (fresh)
        log_event(EVENT_NOTICE_WAITS, LOG_STR("target", t->name), LOG_STR("error", e->msg),
                  LOG_STR("fault", fault_find(result)->name));
    return true;
}

/* Delivers the newest of the group of `first`, and removes the group. 1: it waits, but does not hold up others. */
static int deliver_group(struct notifier *n, size_t index, struct queue *q, size_t first, struct err *e)
{
    size_t newest = first, i;
    uint64_t others = q->item[first].notice.more;
    bool fresh = false;
    int r;

    for (i = first + 1; i < q->count; i++)
        if (alike(&n->line[index], &q->item[first].notice, &q->item[i].notice)) {
            others += 1 + q->item[i].notice.more;
            newest = i;
        }
    q->item[newest].notice.more = others;
    if ((r = send_one(n, index, &q->item[newest].notice, &fresh, e)) < 0)
        return settle_refusal(n, index, &q->item[newest], r, fresh, e) ? 1 : r;
    remove_group(n, index, q, first);
    return 0;
}

static uint64_t later(struct notifier *n, size_t index, int result, const struct err *e)
{
    const struct notify_target *t = &n->config.targets->target[index];
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

static bool is_of_earlier_group(const struct line *line, const struct queue *q, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (alike(line, &q->item[i].notice, &q->item[at].notice))
            return true;
    return false;
}

static uint64_t run_groups(struct notifier *n, size_t index, struct queue *q)
{
    struct line *line = &n->line[index];
    uint64_t wait = UINT64_MAX;

    for (size_t i = 0; i < q->count; i++) {
        uint64_t now = clock_mono_ms(), until = held_until(line, &q->item[i].notice, now);
        struct err e = {0};
        int r;

        if (is_of_earlier_group(line, q, i))
            continue;
        if (until && !n->hurry) {
            wait = smaller(wait, until - now);
            continue;
        }
        if ((r = deliver_group(n, index, q, i, &e)) < 0)
            return smaller(wait, later(n, index, r, &e));
        retry_succeeded(&line->retry);
        if (r == 0)
            remember(line, &q->item[i].notice, n->config.every_ms);
        else
            wait = smaller(wait, KUBE_LINE_DENIED_MS);
    }
    return wait;
}

/* Drops what is too old, by the wall clock: the queue outlives us. A clock that was set back makes nothing old. */
static void drop_old(struct notifier *n, const struct notify_target *t, struct queue *q)
{
    uint64_t most_ms =
        notify_target_is_kubernetes(t) ? smaller(n->config.give_up_ms, KUBE_LINE_GIVE_UP_MS) : n->config.give_up_ms;
    int64_t now = clock_wall_ns();
    size_t kept = 0;

    for (size_t i = 0; i < q->count; i++) {
        if (now - q->item[i].put_ns > (int64_t)most_ms * 1000000) {
            drop(t, &q->item[i], "it could not be delivered for too long");
            notice_done(&q->item[i].notice);
        } else {
            q->item[kept++] = q->item[i];
        }
    }
    q->count = kept;
}

static uint64_t run_target(struct notifier *n, size_t index)
{
    const struct notify_target *t = &n->config.targets->target[index];
    CLEANUP(queue_done) struct queue q = {0};
    uint64_t now = clock_mono_ms();
    struct err e = {0};
    int r;

    if (n->line[index].next_ms > now)
        return n->line[index].next_ms - now;
    for (size_t i = 0; i < n->folder_count; i++)
        if ((r = queue_load(n->folder[i], t, &q, &e)) < 0)
            return later(n, index, r, &e);
    if (q.damaged)
        log_event(EVENT_NOTICE_DROPPED, LOG_STR("target", t->name), LOG_UINT("count", q.damaged),
                  LOG_STR("reason", "damaged"));
    drop_old(n, t, &q);
    return run_groups(n, index, &q);
}

static void close_empty_folders(struct notifier *n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n->folder_count; i++) {
        if (queue_is_empty(n->folder[i], n->config.targets))
            close(n->folder[i]);
        else
            n->folder[kept++] = n->folder[i];
    }
    n->folder_count = kept;
}

uint64_t notifier_run(struct notifier *n)
{
    uint64_t wait = UINT64_MAX;

    assert(n);
    for (size_t i = 0; i < n->config.targets->count; i++)
        wait = smaller(wait, run_target(n, i));
    if (!n->config.keep_folders)
        close_empty_folders(n);
    return wait;
}

void notifier_hurry(struct notifier *n)
{
    n->hurry = true;
}
