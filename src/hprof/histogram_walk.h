/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a histogram's stream is in the dump: for the files of the histogram alone.
 */
#pragma once

#include <string.h>

#include "hprof/histogram_stream.h"

enum { HISTOGRAM_RECORD_HEAD = 9, HISTOGRAM_REGION_FIRST = 256 * 1024, HISTOGRAM_CACHE = 1024 };
enum { TAG_TEXT = 0x01, TAG_HEAP = 0x0C, TAG_SEGMENT = 0x1C, TAG_HEAP_END = 0x2C };

struct histogram_walk {
    unsigned char *window;
    size_t filled;
    uint64_t skip_to;     /* offset of the next record; behind the window: all until there is not looked at */
    uint64_t segment_end; /* offset; 0: between records */
    bool begun;           /* the header was read */
    bool has_end;         /* the format has a HEAP DUMP END: 1.0.2 and newer */
    bool no_length;       /* the segment that begins says that it has 0 bytes */
    bool whole_dump;      /* the last segment that is not empty was all of a dump: a HEAP DUMP */
    bool had_end;         /* behind that segment was a HEAP DUMP END */
    unsigned char tag;    /* of the segment */
    bool ended;           /* HEAP DUMP END was the last of what matters */
    bool counted;         /* the object that is being skipped */
    struct {
        uint64_t id; /* 0: none */
        uint32_t class, length;
    } last;              /* object */
    uint64_t names_skip; /* bytes, while names are read */
    uint64_t least, most;
    uint64_t ids; /* bits of all */
    struct {
        uint64_t id;
        uint32_t class;
    } cache[HISTOGRAM_CACHE];
};

static inline uint32_t histogram_u32(const unsigned char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return __builtin_bswap32(v);
}

/* Of 8 or 4 bytes. */
static inline uint64_t histogram_id(const unsigned char *p, size_t size)
{
    uint64_t v;

    if (size == 4)
        return histogram_u32(p);
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap64(v);
}

/* histogram_objects.c: records of a segment, from the window's byte `from` on; returns how many bytes of them. */
size_t histogram_read_segment(struct histogram_stream *s, size_t from, int *ret_error);
