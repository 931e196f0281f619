/* SPDX-License-Identifier: Apache-2.0
 *
 * The reading end of a job: the evidence's bytes in order, their digest, and whether they make a whole heap dump. A
 * file that is still being written can be followed: HotSpot writes a dump from front to back, so that most of it can be
 * in the store when its last byte is written. What was read early is read again, and compared, once the file is
 * complete: JDK 11 and older go back to fill in lengths, and nobody promises that others don't. A stream can be read
 * once only: nothing of it is compared, and its end is the end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "codec/digest.h"
#include "hprof/hprof.h"
#include "place/identity.h"
#include "ship/recheck.h"
#include "ship/wholeness.h"

enum intake_source {
    INTAKE_FILE,    /* at rest */
    INTAKE_GROWING, /* a file whose end is not the end of the evidence until intake_complete */
    INTAKE_STREAM   /* a pipe, FIFO or socket, or whatever else is only to be read on and on */
};

enum { INTAKE_HEAD_MAX = 1024 }; /* enough for ship/content.h */

struct intake {
    int fd; /* borrowed */
    const char *machine, *path;
    enum intake_source source;
    struct identity identity; /* as the file was when it was opened, or when it was complete; of a stream its size so
                                 far, and when its last byte came */
    unsigned char head[INTAKE_HEAD_MAX]; /* what the evidence begins with */
    size_t head_size;                    /* less than INTAKE_HEAD_MAX only if that is all there is */
    bool is_hprof;
    struct hprof hprof;
    struct wholeness whole; /* whether it is whole, if it is no plain heap dump */
    struct digest digest;   /* of all bytes given out so far */
    uint64_t offset;        /* of the next byte */
    struct recheck recheck; /* of each block read while following */
    size_t block_size;

    /* A sparse file's at rest: what is known of its holes. */
    uint64_t hole_from, data_from; /* [hole_from, data_from) is a hole */
    uint64_t data_to;              /* there is none in [data_from, data_to) */

    /* A stream's. */
    size_t filled;     /* bytes of the block that intake_read is gathering */
    bool ended;        /* its writer has closed it */
    uint64_t heard_ms; /* when a byte last came, or we began to listen; by the monotonic clock */
};

/* block_size: at least INTAKE_HEAD_MAX. */
int intake_init(struct intake *in, int fd, const char *machine, const char *path, size_t block_size,
                enum intake_source source, struct err *e);
void intake_done(struct intake *in);

/* The first look: what head and is_hprof tell is known once it has returned 0. -EAGAIN while a stream has not said. */
int intake_look(struct intake *in, struct err *e);

/* Goes on at offset, with the digest saved there (codec/digest.h); the records before are walked, not read. */
int intake_resume(struct intake *in, uint64_t offset, const char *saved_digest, struct err *e);

/* The next block: block_size bytes, fewer only at the end of the evidence, 0 behind it. -EAGAIN while a growing file or
 * a stream has no whole block yet: it waits for nobody. What has come of a stream's is in the block already, which has
 * to be the same one at the next call. -FAULT_CHANGED if the file became shorter than it was. */
ssize_t intake_read(struct intake *in, void *block, struct err *e);

/* Waits until a stream has something to say, for max_ms at most, or until a signal comes. */
void intake_wait(const struct intake *in, int max_ms);

/* The growing file is complete, and from now on at rest. What was read early is compared meanwhile: in.recheck. */
int intake_complete(struct intake *in, struct err *e);

/* At the end: -FAULT_CHANGED if the file was written to while we read. */
int intake_verify(struct intake *in, struct err *e);

/* NULL if whole (or not of a format that can tell), else the reason in out[size]. */
const char *intake_partial(const struct intake *in, char *out, size_t size);
