/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Whether a portable heap dump of OpenJ9 or IBM's JVMs is complete, checked while its bytes stream by.
 * Stores only the JVM's version, never allocates. Format: OpenJ9's documentation (dump_heapdump) and its reader
 * (com.ibm.dtfj.phd.parser.HeapdumpReader), versions 4, 5 and 6; all big-endian: the UTF "portable heap dump", u4
 * version, u4 flags, u1 tag 1; header records up to tag 2; u1 tag 2; records of objects, arrays and classes up to tag
 * 3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum phd_state {
    PHD_MAGIC,
    PHD_HEADER_TAG,
    PHD_VERSION_SIZE,
    PHD_VERSION_TEXT,
    PHD_BODY_TAG,
    PHD_TAG,        /* of a record */
    PHD_FLAGS,      /* the byte after a tag */
    PHD_COUNT,      /* the part of a record before its references, and their number */
    PHD_CLASS,      /* the part of a class before its name, and the size of the name */
    PHD_CLASS_REFS, /* the number of a class's references */
    PHD_ENDED,
    PHD_BROKEN
};

enum { PHD_JVM_MAX = 256 };

struct phd {
    enum phd_state state;
    uint64_t offset;        /* bytes fed so far */
    uint64_t record_offset; /* offset of the current record, or of the bytes that are not one */
    uint64_t skip;          /* bytes to skip */
    unsigned char head[32];
    unsigned head_size, wanted;
    unsigned version;
    bool wide;   /* words of 64 bits */
    bool hashed; /* every record has a hash of 16 bits: OpenJ9 before 2.6 */
    bool ints;   /* an old JVM that wrote ints where it said longs, in primitive arrays */
    unsigned char tag, flags;
    char jvm[PHD_JVM_MAX]; /* the JVM's version text; "" before it was read */
    size_t jvm_size;
    const char *problem; /* static text, once PHD_BROKEN */
};

void phd_init(struct phd *p);
void phd_feed(struct phd *p, const void *data, size_t size);

/* At the end of the file: NULL if the dump is complete, else why not, in out[size]. */
const char *phd_partial(const struct phd *p, char *out, size_t size);
