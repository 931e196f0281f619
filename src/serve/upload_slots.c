/* SPDX-License-Identifier: Apache-2.0
 *
 * A list, as many as there are connections at most.
 */
#include "serve/upload_slots.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_S = 20 };

struct upload_slot {
    struct upload_slot *next;
    struct upload_slots *table;
    struct exchange *exchange;
    char id[];
};

struct upload_slots {
    pthread_mutex_t lock;
    pthread_cond_t released;
    struct upload_slot *first;
};

struct upload_slots *upload_slots_new(void)
{
    struct upload_slots *t = calloc(1, sizeof(*t));
    pthread_condattr_t attributes;

    if (!t)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&t->released, &attributes);
    pthread_condattr_destroy(&attributes);
    return t;
}

void upload_slots_free(struct upload_slots *t)
{
    if (!t)
        return;
    assert(!t->first);
    pthread_cond_destroy(&t->released);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static struct upload_slot *find(const struct upload_slots *t, const char *id)
{
    struct upload_slot *s = t->first;

    while (s && strcmp(s->id, id) != 0)
        s = s->next;
    return s;
}

/* An exchange in the list has not ended: it takes itself out before it does. */
static bool wait_until_free(struct upload_slots *t, const char *id)
{
    struct upload_slot *s;
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    while ((s = find(t, id))) {
        exchange_break(s->exchange);
        if (pthread_cond_timedwait(&t->released, &t->lock, &until) != 0)
            return !find(t, id);
    }
    return true;
}

int upload_slot_take(struct upload_slots *t, const char *id, struct exchange *x, struct upload_slot **ret,
                     struct err *e)
{
    size_t size = strlen(id) + 1;
    struct upload_slot *slot = calloc(1, sizeof(*slot) + size);
    bool is_free;

    assert(t && x && ret);
    if (!slot)
        return err_set(e, -ENOMEM, "out of memory");
    slot->table = t;
    slot->exchange = x;
    memcpy(slot->id, id, size);
    pthread_mutex_lock(&t->lock);
    if ((is_free = wait_until_free(t, id))) {
        slot->next = t->first;
        t->first = slot;
    }
    pthread_mutex_unlock(&t->lock);
    if (is_free) {
        *ret = slot;
        return 0;
    }
    free(slot);
    return err_set(e, -FAULT_BUSY, "an earlier request for this upload has not ended yet");
}

void upload_slot_release(struct upload_slot *slot)
{
    struct upload_slots *t = slot ? slot->table : NULL;

    if (!slot)
        return;
    pthread_mutex_lock(&t->lock);
    for (struct upload_slot **at = &t->first; *at; at = &(*at)->next)
        if (*at == slot) {
            *at = slot->next;
            break;
        }
    pthread_cond_broadcast(&t->released);
    pthread_mutex_unlock(&t->lock);
    free(slot);
}
