/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Whether evidence is whole, while its bytes are read once (of a plain heap dump: hprof/hprof.h). Memory
 * is bounded, and the time per byte constant.
 *
 *   gzip           all members end with their checksum, and the dump inside is whole; HotSpot writes many members
 *   phd            its records end with the end tag (hprof/phd.h)
 *   minidump       all ranges that its streams name lie in the file (core/minidump.h)
 *   recording      its chunks add up to the end of the file
 *   core           every segment of its program headers lies in the file
 *   javacore       its last line says END OF DUMP
 *   hs_err         its last line is "END." (JDK 10 and newer), or begins with the elapsed time (older)
 *   heap snapshot  its JSON is closed
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "core/minidump.h"
#include "hprof/hprof.h"
#include "hprof/phd.h"
#include "ship/content.h"

enum { WHOLENESS_TAIL = 256, WHOLENESS_HEAD = 68 };

struct wholeness {
    enum content content;
    uint64_t offset;     /* bytes fed */
    const char *problem; /* static text, once the file is known not to be whole */

    z_stream z;
    bool inflating;     /* z is to be ended */
    bool between;       /* at the end of a member */
    struct hprof hprof; /* in gzip */
    struct phd phd;     /* also in gzip */
    struct minidump minidump;

    unsigned char head[WHOLENESS_HEAD]; /* the header of a chunk or core; then one program header */
    size_t head_size;
    uint64_t next;    /* where the next chunk, or program header, begins */
    uint64_t end;     /* the size that the file must have */
    uint64_t entries; /* program headers still to read */
    size_t entry_size;
    bool wide, big;                /* 64-bit core; big-endian */
    bool in_text, escaped, closed; /* JSON */
    uint64_t depth;

    char tail[WHOLENESS_TAIL]; /* the last bytes of a text */
    size_t tail_size;
};

void wholeness_init(struct wholeness *w, enum content content);
void wholeness_done(struct wholeness *w);
int wholeness_feed(struct wholeness *w, const void *data, size_t size); /* 0 or -ENOMEM */

/* At the end: NULL if the evidence is whole, or its format does not show it; else the reason, in out[size]. */
const char *wholeness_partial(const struct wholeness *w, char *out, size_t size);
