/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters are atomic; only the rows of namespaces have a lock, held for a few instructions.
 */
#include "base/counters.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static struct {
    _Atomic uint64_t count;
    _Atomic int64_t last_ns;
} events[EVENT_END];

static _Atomic uint64_t gauges[GAUGE_END]; /* one more than the value; 0: never set */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all below */
static struct counted_namespace rows[COUNTERS_NAMESPACES];
static unsigned row_count;

static const struct log_pair *find(const struct log_pair *pairs, const char *key, enum log_pair_type type)
{
    for (; pairs->type != LOG_PAIR_END; pairs++)
        if (pairs->type == type && text_eq(pairs->key, key))
            return pairs;
    return NULL;
}

/* With the lock held. */
static struct counted_namespace *row_of(const char *name)
{
    unsigned i = 0;

    while (i < row_count && !text_eq(rows[i].name, name))
        i++;
    if (i == row_count && i < COUNTERS_NAMESPACES - 1)
        snprintf(rows[row_count++].name, COUNTERS_NAME_MAX, "%s", name);
    else if (i == row_count && row_count < COUNTERS_NAMESPACES)
        snprintf(rows[row_count++].name, COUNTERS_NAME_MAX, "%s", "_others");
    return &rows[i < COUNTERS_NAMESPACES ? i : COUNTERS_NAMESPACES - 1];
}

static void count_shipped(const struct log_pair *pairs, int64_t now_ns)
{
    const struct log_pair *key = find(pairs, "key", LOG_PAIR_STR), *stored = find(pairs, "stored", LOG_PAIR_UINT);
    const char *slash = key && key->value.str ? strchr(key->value.str, '/') : NULL;
    char name[COUNTERS_NAME_MAX] = "";
    struct counted_namespace *row;

    if (slash)
        snprintf(name, sizeof(name), "%.*s", (int)(slash - key->value.str), key->value.str);
    pthread_mutex_lock(&lock);
    row = row_of(name);
    row->shipped++;
    row->stored_bytes += stored ? stored->value.uint : 0;
    row->last_ns = now_ns;
    pthread_mutex_unlock(&lock);
}

void counters_event(enum event event, const struct log_pair *pairs)
{
    int64_t now_ns = clock_wall_ns();

    assert(event < EVENT_END && pairs);
    atomic_fetch_add(&events[event].count, 1);
    atomic_store(&events[event].last_ns, now_ns);
    if (event == EVENT_SHIPPED)
        count_shipped(pairs, now_ns);
}

int64_t counters_start_ns(void)
{
    static _Atomic int64_t start_ns;
    int64_t never = 0;

    atomic_compare_exchange_strong(&start_ns, &never, clock_wall_ns());
    return atomic_load(&start_ns);
}

struct counted_event counters_of(enum event event)
{
    assert(event < EVENT_END);
    return (struct counted_event){atomic_load(&events[event].count), atomic_load(&events[event].last_ns)};
}

unsigned counters_namespaces(struct counted_namespace out[static COUNTERS_NAMESPACES])
{
    unsigned count;

    pthread_mutex_lock(&lock);
    count = row_count;
    memcpy(out, rows, count * sizeof(*rows));
    pthread_mutex_unlock(&lock);
    return count;
}

void gauge_set(enum gauge gauge, uint64_t value)
{
    assert(gauge < GAUGE_END);
    atomic_store(&gauges[gauge], value + 1);
}

uint64_t gauge_get(enum gauge gauge)
{
    assert(gauge < GAUGE_END);
    return atomic_load(&gauges[gauge]) - 1;
}
