/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What the handlers of one machine remember in common: how many cores each cgroup may still have (a
 * token bucket each), what became of all, and the last ones. JSON, schema salvage.core-ledger/1, bounded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/rate.h"

enum { LEDGER_BUCKETS = 128, LEDGER_LAST = 20, LEDGER_MAX = 128 * 1024, LEDGER_TEXT = 200 };

/* What became of a core. */
enum core_end {
    CORE_STORED,  /* in the store */
    CORE_SPOOLED, /* on this disk, as the store was away */
    CORE_LOST,    /* it was read, or began to be, and is nowhere */
    CORE_LIMITED, /* its cgroup had too many: not read */
    CORE_BUSY,    /* too many at once: not read */
    CORE_REFUSED, /* the rules or its RLIMIT_CORE say no: not read, or left to the handler before us */
    CORE_TAKING,  /* it is being read: no end yet; of a handler that was killed it stays so */
    CORE_END_END
};

/* "stored" … */
const char *core_end_name(enum core_end end);

struct core_bucket {
    char cgroup[LEDGER_TEXT];
    double tokens;
    int64_t at_ms;    /* since 1970: when tokens was right */
    uint64_t limited; /* cores of it that were not read, since the last one that was */
};

struct core_entry {
    int64_t time_ms;
    uint64_t pid;
    int signal;
    enum core_end end;
    bool sensitive;
    char command[64], place[LEDGER_TEXT], cgroup[LEDGER_TEXT];
    char what[LEDGER_TEXT]; /* its key in the store, its path, or why not */
};

struct core_ledger {
    uint64_t count[CORE_END_END];
    struct core_bucket bucket[LEDGER_BUCKETS];
    unsigned buckets;
    struct core_entry last[LEDGER_LAST]; /* the newest first */
    unsigned lasts;
};

/* Takes a token from the cgroup's bucket, which begins full and refills at the rate. False: it is empty. A rate without
 * a count has no limit. *ret_limited: how many were refused until now. */
bool core_ledger_admit(struct core_ledger *l, const char *cgroup, const struct rate *rate, int64_t now_ms,
                       uint64_t *ret_limited);

/* Counts, and keeps as the newest. Cores that were limited are counted only: a crash loop would push out the others.
 * The end of a core that was recorded as CORE_TAKING (the same pid and time) takes its place. */
void core_ledger_record(struct core_ledger *l, const struct core_entry *entry);

int core_ledger_encode(const struct core_ledger *l, struct buf *ret);

/* 0, or -EBADMSG: ret is then empty. Entries that make no sense are left out. */
int core_ledger_decode(const char *json, size_t size, struct core_ledger *ret);
