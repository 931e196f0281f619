/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of a target (a container, a process) at one moment: memory, how fast it grows, pressure, events, and a
 * JVM's own counters. Every value is known, or unknown with a reason; a zeroed reading knows nothing. Says when the
 * limit will be reached. Reads nothing itself, and keeps no history: whoever fills it in does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct reading_value {
    bool known;
    int64_t value;
    const char *why; /* unknown: "no limit"; static text; NULL: not read yet */
};

enum reading_pressure {
    READING_CALM,
    READING_LOW,
    READING_MEDIUM,
    READING_CRITICAL
}; /* as v1's memory.pressure_level */

/* As in memory.events (v2); v1 has OOM (a task waits for memory) and OOM_KILL. */
enum reading_event {
    READING_HIGH = 1 << 0,
    READING_MAX = 1 << 1,
    READING_OOM = 1 << 2,
    READING_OOM_KILL = 1 << 3,
    READING_OOM_GROUP_KILL = 1 << 4
};

enum { READING_PSI_MAX = 8, READING_WHOLE = 10000 };

/* Shares are hundredths of a per cent: READING_WHOLE is all. */
struct reading_psi {
    uint64_t window_ms; /* the conditions say which are wanted; 0: no more of them */
    struct reading_value some, full;
};

struct reading {
    struct reading_value own;    /* bytes that the target uses, without inactive file pages: the kernel's working set */
    struct reading_value used;   /* the same of the level with the least of it left: its own cgroup, the pod's, ... */
    struct reading_value limit;  /* of that level */
    struct reading_value need;   /* share of the limit that the kernel can't drop at once: no clean file pages */
    struct reading_value firm;   /* bytes of the target without any file pages */
    struct reading_value room;   /* bytes until the kernel has to kill, room in swap included */
    struct reading_value growth; /* bytes a second, of what is no page of a file; below 0: shrinking */

    /* A JVM's heap fills up to its maximum and stops there: that growth is no leak, and ends by itself. Where the
     * heap's part is known, the limit is reckoned with it (reading_oom_in). What of the heap is in memory already has
     * to be taken into account by whoever fills these in. */
    struct reading_value heap_left;     /* bytes by which the heap can still grow in memory */
    struct reading_value growth_native; /* bytes a second of everything but the heap */

    struct reading_value dump_ms;  /* what the largest piece of evidence would take, with margin (reading_dump_ms) */
    struct reading_value pressure; /* enum reading_pressure */
    struct reading_psi psi[READING_PSI_MAX];
    struct reading_value heap;    /* share of its maximum that the old generation held after its last collection */
    struct reading_value threads; /* share of the limit of threads: the one of pids.max with the least room */
    struct reading_value gc;      /* share of time in garbage collection */
    struct reading_value events;  /* enum reading_event, or'ed: those since the last reading */
};

struct reading_value reading_known(int64_t value);
struct reading_value reading_unknown(const char *why);

/* The reason of an unknown value; never NULL. */
const char *reading_why(const struct reading_value *v);

/* Milliseconds until the limit is reached if all goes on as it does; INT64_MAX: never. A heap goes on only until it is
 * full. Who sits at the limit and doesn't grow never reaches it: page cache in use looks the same, and nobody dies of
 * that (psi tells the two apart). */
struct reading_value reading_oom_in(const struct reading *r);

/* Share of the limit in use, in hundredths of a per cent. */
struct reading_value reading_memory_share(const struct reading *r);

/* What a dump of so many bytes takes: half as much again as at the measured speed, for others want the processor and
 * the disk, too, and half a second until it begins (the JVM comes to a safepoint, the small evidence goes first). */
struct reading_value reading_dump_ms(uint64_t bytes, uint64_t bytes_per_s);
