/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits how often the first bytes of files are read whose name is not one of evidence: SNIFFER_RATE a second for each
 * tenant (the owner's uid), and no file twice unless it was written to since. Reads nothing itself.
 */
#pragma once

#include <sys/types.h>

#include "watch/idset.h"

enum { SNIFFER_RATE = 100, SNIFFER_BURST = 25, SNIFFER_TENANTS_MAX = 64, SNIFFER_KNOWN_MAX = 1 << 20 };

struct sniffer {
    struct idset known; /* identity and mtime of files that are no evidence */
    struct sniffer_tenant {
        uid_t uid;
        uint64_t next_ms; /* time of the next token; in the past: several, up to SNIFFER_BURST */
    } tenant[SNIFFER_TENANTS_MAX];
    unsigned tenants;
};

void sniffer_done(struct sniffer *s);

/* 0: a file may be read now, and is counted; else the time to wait, in ms. */
uint64_t sniffer_wait(struct sniffer *s, uid_t uid, uint64_t now_ms);

bool sniffer_knows(const struct sniffer *s, uint64_t dev, uint64_t ino, int64_t mtime_ns);
void sniffer_learn(struct sniffer *s, uint64_t dev, uint64_t ino, int64_t mtime_ns);
