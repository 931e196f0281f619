/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Whether a HotSpot heap dump is complete: walks the top-level records while the bytes stream by. Stores
 * no data, never allocates. Format: JDK src/hotspot/share/services/heapDumper.cpp (comment at its top): "JAVA PROFILE
 * 1.0.1" or "1.0.2" (Android's: "1.0.3", with tags of its own inside heap dumps), NUL, u4 identifier size, u8 time in
 * ms since 1970; then records of u1 tag, u4 time, u4 length, body; all big-endian. A dump in segments (1.0.2) ends with
 * tag 0x2C HEAP DUMP END.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hprof_state { HPROF_HEADER, HPROF_RECORD_HEAD, HPROF_RECORD_BODY, HPROF_BROKEN };

struct hprof {
    enum hprof_state state;
    uint64_t offset;        /* bytes fed so far */
    uint64_t record_offset; /* offset of the current record, or of the bytes that are not one */
    uint64_t body_left;     /* bytes left of the current record's body; 0 outside of a body */
    unsigned char head[32];
    unsigned head_size;
    unsigned version_minor; /* 1 to 3 */
    unsigned id_size;       /* 4 or 8 */
    int64_t time_ms;        /* the header's, since 1970 */
    uint64_t records;
    uint64_t heap_segments; /* HEAP DUMP and HEAP DUMP SEGMENT records that are not empty */
    bool ended;             /* HEAP DUMP END followed the last of them */
    bool empty_dump;        /* the last record was a heap dump (segment) of length 0 */
    bool unpatched; /* after empty_dump came a byte that is not the tag of HEAP DUMP, HEAP DUMP SEGMENT or HEAP DUMP END
                       (no record inside a heap dump begins with one of these): JDK 11 and older seek back to write the
                       length last. The file is still being written. Also HPROF_BROKEN: where the next record begins is
                       unknown */
    const char *problem; /* static text, once HPROF_BROKEN */
};

/* True if data could be the beginning of a dump (size may be less than the header's 31 bytes; 0 gives false). */
bool hprof_probe(const void *data, size_t size);

void hprof_init(struct hprof *h);
void hprof_feed(struct hprof *h, const void *data, size_t size);

/* At the end of the file: NULL if the dump is complete, else why not, in out[size] ("ends inside a record at byte 1234
 * (tag 0x1c needs 567 bytes more)"). Complete: the records end where the file does, and the heap is in it: with 1.0.2 a
 * HEAP DUMP END after the last heap dump segment; with 1.0.1, which has no end record, a heap dump that is not
 * empty. */
const char *hprof_partial(const struct hprof *h, char *out, size_t size);
