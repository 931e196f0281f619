/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Whether evidence other than a plain heap dump is whole (that one: hprof/hprof.h), as its bytes stream
 * by. Foreign bytes: memory is bounded, and every byte costs a constant.
 *
 *   in gzip        all members end with their checksum, and what is inside is a whole dump; HotSpot writes many members
 *   phd            its records end with the tag that says so (hprof/phd.h)
 *   minidump       it reaches to the end of all that its streams name (core/minidump.h)
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
    const char *problem; /* static text, once it is known not to be whole */

    z_stream z;
    bool inflating;     /* z is to be ended */
    bool between;       /* behind a member's end */
    struct hprof hprof; /* in gzip */
    struct phd phd;     /* also in gzip */
    struct minidump minidump;

    unsigned char head[WHOLENESS_HEAD]; /* of a chunk, or of a core; then one program header */
    size_t head_size;
    uint64_t next;    /* where the next chunk, or program header, begins */
    uint64_t end;     /* how far the file has to go */
    uint64_t entries; /* program headers left */
    size_t entry_size;
    bool wide, big;                /* a core of 64 bits; big-endian */
    bool in_text, escaped, closed; /* JSON */
    uint64_t depth;

    char tail[WHOLENESS_TAIL]; /* the last bytes of a text */
    size_t tail_size;
};

void wholeness_init(struct wholeness *w, enum content content);
void wholeness_done(struct wholeness *w);
int wholeness_feed(struct wholeness *w, const void *data, size_t size); /* 0 or -ENOMEM */

/* At the end: NULL if it is whole or of a kind that can't tell, else why not, in out[size]. */
const char *wholeness_partial(const struct wholeness *w, char *out, size_t size);
