/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What a flight recording says of a JVM: which one it was, how it collected garbage, what it allocated,
 * which old objects were sampled, where its processors were. All chunks of a file (jfr/jfr_chunk.h) together; one that
 * is cut gives what there is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/summary.h"
#include "jfr/jfr_counts.h"

struct jfr_share { /* parts of all processors, 0 to 1 */
    double sum, most;
};

struct jfr_recording {
    uint64_t start_ns, end_ns; /* since 1970; the end is never before the start */
    unsigned chunks;
    uint64_t events;
    const char *cut; /* why not all of it is read; NULL: it is. Static text */

    char jvm[160], version[160], command[512], options[1024]; /* UTF-8; "": the recording does not say */
    int64_t pid;                                              /* 0: unknown */
    char reason[64];                                          /* why the JVM wrote it as it died; "" */
    char shutdown[96];                                        /* why the JVM ended; "" */

    uint64_t collections;
    uint64_t pauses; /* 0: only collections are known */
    uint64_t pause_ns, longest_ns, longest_at_ns;
    struct jfr_counts causes; /* of collections; weight: nanoseconds of pauses */

    uint64_t heap_samples, heap_after_most, heap_after_last; /* bytes in use after collections */
    uint64_t loads;
    struct jfr_share jvm_load, machine_load;

    struct jfr_counts old_objects; /* OldObjectSample: classes; the JVM samples few of all objects */
    struct jfr_counts allocated;   /* classes; weight: bytes, about */
    struct jfr_counts methods;     /* ExecutionSample: the method that ran */
    struct jfr_counts errors;      /* JavaErrorThrow: classes */
    uint64_t lost_bytes;           /* DataLoss */
};

/* -FAULT_FORMAT: no recording, or of a format before 2.0; -ENOMEM. *ret is untouched on failure. */
int jfr_recording_read(const void *data, size_t size, struct jfr_recording *ret, struct err *e);
void jfr_recording_done(struct jfr_recording *r);

/* "flight recording of 12:03: 41 GC pauses, 1.2 s in all, longest 80 ms; old objects: com.shop.Order (12), ...". The
 * errors are the reader's. */
int jfr_summary(const void *data, size_t size, struct summary *ret);
