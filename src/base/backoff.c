/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers come from the kernel, so that a thousand pods that failed together do not retry together.
 */
#include "base/backoff.h"

#include <limits.h>
#include <sys/random.h>

#include "base/clock.h"

enum { RETRY_AFTER_MAX_MS = 60 * 60 * 1000 };

static uint64_t random_bits(void)
{
    uint64_t random;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) == (ssize_t)sizeof(random))
        return random;
    /* Early at boot the pool may be empty; the delay need not be secret. */
    return (uint64_t)clock_wall_ns() * 0x9e3779b97f4a7c15u >> 16;
}

static uint64_t ceiling_of(const struct backoff *b)
{
    uint64_t ceiling = b->tries < 32 ? (uint64_t)b->first_ms << b->tries : UINT64_MAX;

    return ceiling < b->most_ms ? ceiling : b->most_ms;
}

uint64_t backoff_next(struct backoff *b, uint64_t retry_after_ms)
{
    uint64_t ceiling = ceiling_of(b), least = ceiling / 2, delay = least + random_bits() % (ceiling - least + 1);

    if (b->tries < UINT_MAX)
        b->tries++;
    if (retry_after_ms > RETRY_AFTER_MAX_MS)
        retry_after_ms = RETRY_AFTER_MAX_MS;
    return delay > retry_after_ms ? delay : retry_after_ms;
}
