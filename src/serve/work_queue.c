/* SPDX-License-Identifier: Apache-2.0
 *
 * A row for each namespace that waits; the one that was served goes to the end.
 */
#include "serve/work_queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

struct work_tenant {
    struct work *item;
    size_t count, capacity;
};

void work_done(struct work *w)
{
    free(w->id);
    free(w->key);
    *w = (struct work){0};
}

static void tenant_done(struct work_tenant *t)
{
    for (size_t i = 0; i < t->count; i++)
        work_done(&t->item[i]);
    free(t->item);
}

void work_queue_done(struct work_queue *q)
{
    for (size_t i = 0; i < q->count; i++)
        tenant_done(&q->tenant[i]);
    free(q->tenant);
    *q = (struct work_queue){.of_one = q->of_one, .most = q->most};
}

static size_t namespace_size(const char *id)
{
    return strcspn(id, "/");
}

/* A tenant has at least one piece of work. */
static bool is_of(const struct work_tenant *t, const char *id)
{
    size_t size = namespace_size(id);

    return namespace_size(t->item[0].id) == size && memcmp(t->item[0].id, id, size) == 0;
}

static size_t find_tenant(const struct work_queue *q, const char *id)
{
    size_t at = 0;

    while (at < q->count && !is_of(&q->tenant[at], id))
        at++;
    return at;
}

static size_t find_work(const struct work_tenant *t, const char *id)
{
    size_t at = 0;

    while (at < t->count && !text_eq(t->item[at].id, id))
        at++;
    return at;
}

static int append(struct work_tenant *t, size_t most, const struct work *w)
{
    struct work one = {
        .id = strdup(w->id), .key = strdup(w->key), .by_person = w->by_person, .since_ms = clock_mono_ms()};

    if (!one.id || !one.key || array_reserve(&t->item, t->count + 1, &t->capacity, sizeof(*t->item), most) < 0) {
        work_done(&one);
        return -ENOMEM;
    }
    t->item[t->count++] = one;
    return 0;
}

int work_queue_add(struct work_queue *q, const char *id, const char *key, bool by_person)
{
    const struct work w = {.id = (char *)id, .key = (char *)key, .by_person = by_person};
    size_t at = find_tenant(q, id);
    struct work_tenant fresh = {0};
    int r;

    assert(*id && key && q->of_one > 0 && q->most > 0);
    if (at < q->count && find_work(&q->tenant[at], id) < q->tenant[at].count)
        return -EALREADY;
    if (q->in_all >= q->most || (at < q->count && q->tenant[at].count >= q->of_one))
        return -EBUSY;
    if (at == q->count) {
        if (array_reserve(&q->tenant, at + 1, &q->capacity, sizeof(*q->tenant), q->most) < 0)
            return -ENOMEM;
        if ((r = append(&fresh, q->of_one, &w)) == 0)
            q->tenant[q->count++] = fresh;
        else
            tenant_done(&fresh);
    } else {
        r = append(&q->tenant[at], q->of_one, &w);
    }
    q->in_all += r == 0;
    return r;
}

bool work_queue_take(struct work_queue *q, struct work *ret)
{
    struct work_tenant first;

    if (q->count == 0)
        return false;
    first = q->tenant[0];
    *ret = first.item[0];
    memmove(first.item, first.item + 1, --first.count * sizeof(*first.item));
    memmove(q->tenant, q->tenant + 1, (q->count - 1) * sizeof(*q->tenant));
    if (first.count > 0)
        q->tenant[q->count - 1] = first;
    else
        tenant_done(&first);
    q->count -= first.count == 0;
    q->in_all--;
    return true;
}

int work_queue_ahead(const struct work_queue *q, const char *id)
{
    size_t at = find_tenant(q, id), place = at < q->count ? find_work(&q->tenant[at], id) : 0, ahead = 0;

    if (at == q->count || place == q->tenant[at].count)
        return -1;
    for (size_t i = 0; i < q->count; i++) {
        size_t turns = place + (i < at); /* that come before */

        if (i != at)
            ahead += q->tenant[i].count < turns ? q->tenant[i].count : turns;
    }
    return (int)(ahead + place);
}
