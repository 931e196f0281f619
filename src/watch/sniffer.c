/* SPDX-License-Identifier: Apache-2.0
 *
 * A token bucket for each tenant, kept as the time of its next token.
 */
#include "watch/sniffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "place/identity.h"

enum { STEP_MS = 1000 / SNIFFER_RATE };

void sniffer_done(struct sniffer *s)
{
    idset_done(&s->known);
}

/* In a full table the tenant that was idle for the longest time is replaced. */
static struct sniffer_tenant *tenant_of(struct sniffer *s, uid_t uid)
{
    struct sniffer_tenant *idle = &s->tenant[0];

    for (unsigned i = 0; i < s->tenants; i++) {
        if (s->tenant[i].uid == uid)
            return &s->tenant[i];
        if (s->tenant[i].next_ms < idle->next_ms)
            idle = &s->tenant[i];
    }
    if (s->tenants < SNIFFER_TENANTS_MAX)
        idle = &s->tenant[s->tenants++];
    *idle = (struct sniffer_tenant){.uid = uid};
    return idle;
}

uint64_t sniffer_wait(struct sniffer *s, uid_t uid, uint64_t now_ms)
{
    struct sniffer_tenant *t = tenant_of(s, uid);
    uint64_t earliest = now_ms > (uint64_t)SNIFFER_BURST * STEP_MS ? now_ms - (uint64_t)SNIFFER_BURST * STEP_MS : 0;

    if (t->next_ms > now_ms)
        return t->next_ms - now_ms;
    t->next_ms = (t->next_ms > earliest ? t->next_ms : earliest) + STEP_MS;
    return 0;
}

static void key_of(uint64_t dev, uint64_t ino, int64_t mtime_ns, char ret[IDENTITY_MAX])
{
    const uint64_t all[] = {dev, ino, (uint64_t)mtime_ns};

    snprintf(ret, IDENTITY_MAX, "%016" PRIx64, (uint64_t)XXH3_64bits(all, sizeof(all)));
}

bool sniffer_knows(const struct sniffer *s, uint64_t dev, uint64_t ino, int64_t mtime_ns)
{
    char key[IDENTITY_MAX];

    key_of(dev, ino, mtime_ns, key);
    return idset_has(&s->known, key);
}

void sniffer_learn(struct sniffer *s, uint64_t dev, uint64_t ino, int64_t mtime_ns)
{
    char key[IDENTITY_MAX];

    if (s->known.count >= SNIFFER_KNOWN_MAX)
        idset_done(&s->known);
    key_of(dev, ino, mtime_ns, key);
    (void)idset_add(&s->known, key); /* without memory the file is read again */
}
