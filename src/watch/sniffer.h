/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files of any name are worth a look at their first bytes, and when: no more than SNIFFER_RATE a second for each
 * tenant (the owner's uid), and none twice unless it was written to since. Reads nothing itself.
 */
#pragma once

#include <sys/types.h>

#include "watch/idset.h"

enum { SNIFFER_RATE = 100, SNIFFER_BURST = 25, SNIFFER_TENANTS_MAX = 64, SNIFFER_KNOWN_MAX = 1 << 20 };

struct sniffer {
    struct idset known; /* files that are no evidence, as they were */
    struct sniffer_tenant {
        uid_t uid;
        uint64_t next_ms; /* when it has one look more; behind now: several, up to SNIFFER_BURST */
    } tenant[SNIFFER_TENANTS_MAX];
    unsigned tenants;
};

void sniffer_done(struct sniffer *s);

/* 0: look now, and it is counted; else how long to wait. */
uint64_t sniffer_wait(struct sniffer *s, uid_t uid, uint64_t now_ms);

bool sniffer_knows(const struct sniffer *s, uint64_t dev, uint64_t ino, int64_t mtime_ns);
void sniffer_learn(struct sniffer *s, uint64_t dev, uint64_t ino, int64_t mtime_ns);
