/* SPDX-License-Identifier: Apache-2.0
 *
 * One row for each caller who holds a slot.
 */
#include "serve/decode_slots.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"

struct holder {
    char *who; /* owned; NULL: a free row */
    unsigned slots;
};

struct decode_slots {
    pthread_mutex_t lock; /* for the following */
    pthread_cond_t given;
    unsigned in_all, of_one, taken;
    struct holder holder[]; /* in_all rows */
};

struct decode_slots *decode_slots_new(unsigned in_all, unsigned of_one)
{
    struct decode_slots *s = calloc(1, sizeof(*s) + in_all * sizeof(s->holder[0]));
    pthread_condattr_t monotonic;

    assert(in_all > 0 && of_one > 0);
    if (!s)
        return NULL;
    s->in_all = in_all;
    s->of_one = of_one;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->given, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return s;
}

void decode_slots_free(struct decode_slots *s)
{
    if (!s)
        return;
    assert(s->taken == 0);
    pthread_cond_destroy(&s->given);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* The caller's row, or a free one; never NULL while a slot is free. With the lock held. */
static struct holder *row_of(struct decode_slots *s, const char *who)
{
    struct holder *unused = NULL;

    for (unsigned i = 0; i < s->in_all; i++) {
        if (text_eq(s->holder[i].who, who))
            return &s->holder[i];
        if (!s->holder[i].who && !unused)
            unused = &s->holder[i];
    }
    return unused;
}

/* 0, -EBUSY, -ENOMEM. With the lock held. */
static int take(struct decode_slots *s, const char *who)
{
    struct holder *h = s->taken < s->in_all ? row_of(s, who) : NULL;

    if (!h || h->slots == s->of_one)
        return -EBUSY;
    if (!h->who && !(h->who = strdup(who)))
        return -ENOMEM;
    h->slots++;
    s->taken++;
    return 0;
}

int decode_slots_take(struct decode_slots *s, const char *who, uint64_t timeout_ms)
{
    struct timespec until;
    int r;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&s->lock);
    while ((r = take(s, who)) == -EBUSY)
        if (pthread_cond_timedwait(&s->given, &s->lock, &until) != 0) {
            r = take(s, who);
            break;
        }
    pthread_mutex_unlock(&s->lock);
    return r;
}

void decode_slots_give(struct decode_slots *s, const char *who)
{
    struct holder *h;

    pthread_mutex_lock(&s->lock);
    h = row_of(s, who);
    assert(h && h->slots > 0);
    s->taken--;
    if (--h->slots == 0)
        free(TAKE_PTR(h->who));
    pthread_cond_broadcast(&s->given);
    pthread_mutex_unlock(&s->lock);
}
