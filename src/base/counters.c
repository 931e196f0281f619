/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters are atomic; only the rows of namespaces have a lock, held for a few instructions.
 */
#include "base/counters.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* What a process sends of an event: less than PIPE_BUF, so it comes whole. */
struct record {
    enum event event;                  /* EVENT_END: only levels */
    char namespace[COUNTERS_NAME_MAX]; /* of what was shipped */
    uint64_t stored;
    int64_t time_ns;
    uint64_t gauge[GAUGE_END]; /* as in gauges */
};

static int from_children = -1, to_children = -1, to_parent = -1; /* set before there are other threads */

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

static void describe_shipped(const struct log_pair *pairs, struct record *r)
{
    const struct log_pair *key = find(pairs, "key", LOG_PAIR_STR), *stored = find(pairs, "stored", LOG_PAIR_UINT);
    const char *slash = key && key->value.str ? strchr(key->value.str, '/') : NULL;

    if (slash)
        snprintf(r->namespace, sizeof(r->namespace), "%.*s", (int)(slash - key->value.str), key->value.str);
    r->stored = stored ? stored->value.uint : 0;
}

static void count(const struct record *r)
{
    struct counted_namespace *row;

    atomic_fetch_add(&events[r->event].count, 1);
    atomic_store(&events[r->event].last_ns, r->time_ns);
    if (r->event != EVENT_SHIPPED)
        return;
    pthread_mutex_lock(&lock);
    row = row_of(r->namespace);
    row->shipped++;
    row->stored_bytes += r->stored;
    row->last_ns = r->time_ns;
    pthread_mutex_unlock(&lock);
}

static void forward(struct record *r)
{
    if (to_parent < 0)
        return;
    for (enum gauge i = 0; i < GAUGE_END; i++)
        r->gauge[i] = atomic_load(&gauges[i]);
    if (write(to_parent, r, sizeof(*r)) < 0 && errno != EAGAIN)
        to_parent = -1; /* the parent has gone */
}

void counters_event(enum event event, const struct log_pair *pairs)
{
    struct record r = {.event = event, .time_ns = clock_wall_ns()};

    assert(event < EVENT_END && pairs);
    if (event == EVENT_SHIPPED)
        describe_shipped(pairs, &r);
    count(&r);
    forward(&r);
    counters_receive();
}

int counters_collect(void)
{
    int ends[2];

    _Static_assert(sizeof(struct record) <= PIPE_BUF, "a record is written in one piece");
    if (from_children >= 0)
        return 0;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    from_children = ends[0];
    to_children = ends[1];
    return 0;
}

int counters_channel(void)
{
    return to_children >= 0 ? to_children : to_parent;
}

void counters_forward(int channel)
{
    if (channel >= 0 && fcntl(channel, F_SETFD, FD_CLOEXEC) < 0) /* what we start has no part in it */
        return;
    to_parent = channel;
}

/* 0: the other end is closed. */
static ssize_t receive(int fd, struct record *r)
{
    ssize_t n = fd < 0 ? -1 : read(fd, r, sizeof(*r));

    if (n != (ssize_t)sizeof(*r))
        return n == 0 ? 0 : -1;
    r->namespace[sizeof(r->namespace) - 1] = '\0';
    if (r->event < EVENT_END)
        count(r);
    return n;
}

void counters_receive(void)
{
    struct record r;

    while (receive(from_children, &r) > 0)
        ;
}

static void set_level(struct counters_source *s, enum gauge i, uint64_t level)
{
    uint64_t shown = atomic_load(&gauges[i]);

    atomic_store(&gauges[i], (shown ? shown : 1) - s->level[i] + level);
    s->level[i] = level;
}

void counters_source_done(struct counters_source *s)
{
    assert(s);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    for (enum gauge i = 0; i < GAUGE_END; i++)
        if (s->level[i])
            set_level(s, i, 0);
}

void counters_receive_from(struct counters_source *s)
{
    struct record r;
    ssize_t n;

    assert(s);
    while ((n = receive(s->fd, &r)) > 0)
        for (enum gauge i = 0; i < GAUGE_END; i++)
            if (r.gauge[i])
                set_level(s, i, r.gauge[i] - 1);
    if (n == 0)
        counters_source_done(s);
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
    forward(&(struct record){.event = EVENT_END});
}

uint64_t gauge_get(enum gauge gauge)
{
    assert(gauge < GAUGE_END);
    return atomic_load(&gauges[gauge]) - 1;
}
