/* SPDX-License-Identifier: Apache-2.0
 *
 * The reading end of a job: the file's bytes in order, their digest, and whether they make a whole heap dump. A file
 * that is still being written can be followed: HotSpot writes a dump from front to back, so that most of it can be in
 * the store when its last byte is written. What was read early is read again, and compared, once the file is
 * complete: JDK 11 and older go back to fill in lengths, and nobody promises that others don't.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "format/hprof.h"
#include "os/identity.h"
#include "pipe/digest.h"

struct intake {
    int fd; /* borrowed */
    const char *machine, *path;
    struct identity identity; /* as the file was when it was opened, or when it was complete */
    bool following;
    bool is_hprof;
    struct hprof hprof;
    struct digest digest; /* of all bytes given out so far */
    uint64_t offset;      /* of the next byte */
    uint64_t *early;      /* XXH3 of each block read while following; owned */
    size_t early_count, early_capacity;
    size_t block_size;
};

/* following: the end of the file is not the end of the evidence until intake_complete. */
int intake_init(struct intake *in, int fd, const char *machine, const char *path, size_t block_size, bool following,
                struct err *e);
void intake_done(struct intake *in);

/* Goes on at offset, with the digest saved there (pipe/digest.h); the records before are walked, not read. */
int intake_resume(struct intake *in, uint64_t offset, const char *saved_digest, struct err *e);

/* The next block: block_size bytes, fewer only at the end of the evidence, 0 behind it. -EAGAIN while following and a
 * whole block isn't there yet. -FAULT_CHANGED if the file became shorter than it was. */
ssize_t intake_read(struct intake *in, void *block, struct err *e);

/* The file is complete: compares what was read early. -FAULT_CHANGED if the writer went back. */
int intake_complete(struct intake *in, struct err *e);

/* At the end: -FAULT_CHANGED if the file was written to while we read. */
int intake_verify(struct intake *in, struct err *e);

/* NULL if whole (or not of a format that can tell), else the reason in out[size]. */
const char *intake_partial(const struct intake *in, char *out, size_t size);
