/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads from a file what it says of its origin (place/origin.h), before any of it is shipped: the cause is part of the
 * key. Bounded: the beginning of a text, the notes of a core, the records before a heap dump's objects. A file that
 * still grows is read as far as it has been written.
 */
#pragma once

#include <stdbool.h>
#include <zlib.h>

#include "hprof/hproforigin.h"
#include "place/origin.h"
#include "ship/content.h"

enum { ORIGIN_HEAD_MAX = 64 * 1024 };
#define ORIGIN_HPROF_MAX (256ull << 20) /* names and classes of the largest applications take some tens of MiB */

struct origin_reader {
    int fd; /* borrowed */
    enum content content;
    uint64_t offset; /* of a heap dump: bytes of the file read so far */
    uint64_t inside; /* decompressed bytes of the dump, if it is in gzip */
    struct hproforigin hprof;
    z_stream z;
    bool inflating; /* z is to be ended */
    bool ended;     /* the gzip was read to the end of a member, or is damaged */
};

void origin_reader_init(struct origin_reader *r, int fd, enum content content);
void origin_reader_done(struct origin_reader *r);

/* 0 and *ret. -EAGAIN: more bytes are needed than the file has (never if complete). Or the error of reading. */
int origin_reader_read(struct origin_reader *r, bool complete, struct origin *ret);
