/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of a target (a container, a process) at one moment: memory, growth, pressure, events, and a JVM's
 * counters. Each value is known, or unknown with a reason; a zeroed reading knows nothing. Computes when the limit
 * will be reached. Reads nothing and keeps no history: guard/target.h fills it in.
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
    uint64_t window_ms; /* the windows that the conditions name; 0: no more of them */
    struct reading_value some, full;
};

struct reading {
    struct reading_value own;   /* bytes that the target uses without inactive file pages: the kernel's working set */
    struct reading_value used;  /* the same for the level with the least room: the cgroup, the pod's cgroup, ... */
    struct reading_value limit; /* of that level */
    struct reading_value need; /* share of the limit that the kernel cannot reclaim at once: without clean file pages */
    struct reading_value firm; /* bytes of the target without any file pages */
    struct reading_value room; /* bytes until the kernel has to kill, room in swap included */
    struct reading_value growth; /* bytes a second, without file pages; below 0: shrinking */

    /* A JVM's heap grows to its maximum and stops there: that growth is no leak. Where the heap's part is known,
     * reading_oom_in takes it into account. The part of the heap that is already in memory is not in heap_left. */
    struct reading_value heap_left;     /* bytes by which the heap can still grow in memory */
    struct reading_value growth_native; /* bytes a second of everything but the heap */

    struct reading_value dump_ms;  /* time that the largest piece of evidence needs, with margin (reading_dump_ms) */
    struct reading_value pressure; /* enum reading_pressure */
    struct reading_psi psi[READING_PSI_MAX];
    struct reading_value heap;    /* share of its maximum that the old generation held after its last collection */
    struct reading_value threads; /* share of pids.max, at the level with the least room */
    struct reading_value gc;      /* share of time in garbage collection */
    struct reading_value events;  /* enum reading_event, or'ed: those since the last reading */
};

struct reading_value reading_known(int64_t value);
struct reading_value reading_unknown(const char *why);

/* The reason of an unknown value; never NULL. */
const char *reading_why(const struct reading_value *v);

/* Milliseconds until the limit is reached at the present growth; INT64_MAX: never. A heap grows only until it is
 * full. A target that sits at its limit without growing never reaches it: used page cache looks the same, and the
 * kernel does not kill for that (psi shows the difference). */
struct reading_value reading_oom_in(const struct reading *r);

/* Share of the limit in use, in hundredths of a per cent. */
struct reading_value reading_memory_share(const struct reading *r);

/* The time that a dump of so many bytes takes: 1.5 times the time at the measured speed, as other processes use the
 * processor and the disk, too, and half a second until it begins (safepoint, smaller evidence first). */
struct reading_value reading_dump_ms(uint64_t bytes, uint64_t bytes_per_s);
