/* SPDX-License-Identifier: Apache-2.0
 *
 * The reading end of a job: the evidence's bytes in order, their digest, and whether they make a whole heap dump. A
 * file that is still being written can be followed: HotSpot writes a dump from front to back, so that most of it can be
 * in the store when its last byte is written. Blocks that were read early are read again and compared once the file is
 * complete: JDK 11 and older go back to fill in lengths, and no JDK promises not to. A stream can be read once only:
 * nothing of it is compared.
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
#include "ship/stream_buffer.h"
#include "ship/wholeness.h"

enum intake_source {
    INTAKE_FILE,    /* at rest */
    INTAKE_GROWING, /* a file whose end is not the end of the evidence until intake_complete */
    INTAKE_STREAM   /* a pipe, FIFO or socket: read from front to back, once */
};

enum { INTAKE_HEAD_MAX = 1024 }; /* enough for ship/content.h */

struct intake {
    int fd; /* borrowed */
    const char *machine, *path;
    enum intake_source source;
    struct identity identity; /* of the file when it was opened, or when it was complete; of a stream the size so far,
                                 and the time of its last byte */
    unsigned char head[INTAKE_HEAD_MAX]; /* the evidence's first bytes */
    size_t head_size;                    /* less than INTAKE_HEAD_MAX only if the evidence is that short */
    bool is_hprof;
    struct hprof hprof;
    struct wholeness whole; /* for anything but a plain heap dump */
    struct digest digest;   /* of all bytes read so far */
    uint64_t offset;        /* of the next byte */
    struct recheck recheck; /* of each block read while following */
    size_t block_size;

    /* For a sparse file at rest: its holes, as far as they are known. */
    uint64_t hole_from, data_from; /* [hole_from, data_from) is a hole */
    uint64_t data_to;              /* [data_from, data_to) has no hole */

    /* For a stream. */
    size_t filled;                /* bytes so far of the block that intake_read fills */
    bool ended;                   /* its writer has closed it */
    uint64_t heard_ms;            /* monotonic: when the last byte came, or reading began; see intake_heard_ms */
    struct stream_buffer *buffer; /* NULL: intake_read reads by itself */
    uint64_t buffer_size;
};

/* All borrowed. */
struct intake_config {
    int fd;
    const char *machine; /* place/whoami.h: part of the file's identity */
    const char *path;    /* for messages, and its suffix for the kind */
    size_t block_size;   /* at least INTAKE_HEAD_MAX */
    enum intake_source source;
    uint64_t buffer; /* bytes: a stream is read ahead into so much memory; 0: not */
};

int intake_init(struct intake *in, const struct intake_config *config, struct err *e);
void intake_done(struct intake *in);

/* Reads the evidence's first bytes: head and is_hprof are valid once it has returned 0. -EAGAIN while a stream has not
 * delivered enough. */
int intake_read_head(struct intake *in, struct err *e);

/* Continues at offset, with the digest saved there (codec/digest.h). Of a heap dump's records before offset only the
 * heads are read. */
int intake_resume(struct intake *in, uint64_t offset, const char *saved_digest, struct err *e);

/* The next block: block_size bytes, fewer only at the end of the evidence, 0 behind it. -EAGAIN while a growing file or
 * a stream has no whole block yet: does not wait. A stream's bytes so far are in the block then, which has to be the
 * same one at the next call. -FAULT_CHANGED if the file became shorter. */
ssize_t intake_read(struct intake *in, void *block, struct err *e);

/* The same; of a stream that is read ahead *ret is the buffer's block, without a copy, until intake_release, which
 * gives back the oldest one. Else *ret is `block`, and intake_release does nothing. */
ssize_t intake_next(struct intake *in, void *block, const void **ret, struct err *e);
void intake_release(struct intake *in);

/* Nothing more is read: the caller may close fd. */
void intake_stop(struct intake *in);

/* Of a stream: when the last byte came, or reading began; monotonic. */
uint64_t intake_heard_ms(const struct intake *in);

/* Waits until a stream is readable, for at most max_ms, or until a signal comes. */
void intake_wait(const struct intake *in, int max_ms);

/* The growing file is complete, and from now on at rest. Starts comparing what was read early (in.recheck). */
int intake_complete(struct intake *in, struct err *e);

/* At the end: -FAULT_CHANGED if the file was written to while we read. */
int intake_verify(struct intake *in, struct err *e);

/* NULL if the evidence is whole, or its format does not show it; else the reason, in out[size]. */
const char *intake_partial(const struct intake *in, char *out, size_t size);
