/* SPDX-License-Identifier: Apache-2.0
 *
 * A circuit breaker.
 */
#include "serve/store_health.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"

enum { AGAIN_MS = 2000, TRIAL_MAX_MS = 60 * 1000 /* of one that asks: then another may */ };

struct store_health {
    pthread_mutex_t lock; /* for the following */
    bool down;
    uint64_t next_ms; /* when it may be asked again */
};

struct store_health *store_health_new(void)
{
    struct store_health *h = calloc(1, sizeof(*h));

    if (h)
        pthread_mutex_init(&h->lock, NULL);
    return h;
}

void store_health_free(struct store_health *h)
{
    if (!h)
        return;
    pthread_mutex_destroy(&h->lock);
    free(h);
}

int store_health_check(struct store_health *h, struct err *e)
{
    uint64_t now_ms = clock_mono_ms();
    bool refused;

    pthread_mutex_lock(&h->lock);
    refused = h->down && now_ms < h->next_ms;
    if (h->down && !refused)
        h->next_ms = now_ms + TRIAL_MAX_MS;
    pthread_mutex_unlock(&h->lock);
    if (!refused)
        return 0;
    err_set(e, -FAULT_BUSY, "the store behind this server did not answer a moment ago");
    e->retry_after_ms = AGAIN_MS;
    return -FAULT_BUSY;
}

void store_health_note(struct store_health *h, int result)
{
    pthread_mutex_lock(&h->lock);
    h->down = result == -FAULT_UNREACHABLE || result == -FAULT_STALLED;
    h->next_ms = clock_mono_ms() + AGAIN_MS;
    pthread_mutex_unlock(&h->lock);
}

bool store_health_is_down(struct store_health *h)
{
    bool down;

    pthread_mutex_lock(&h->lock);
    down = h->down;
    pthread_mutex_unlock(&h->lock);
    return down;
}
