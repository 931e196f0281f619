/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Whether a portable heap dump of OpenJ9 or IBM's JVMs is whole, as its bytes stream by. Foreign bytes:
 * keeps no data but the JVM's version, never allocates. Format: OpenJ9's documentation (dump_heapdump) and its own
 * reader (com.ibm.dtfj.phd.parser.HeapdumpReader), versions 4, 5 and 6; all big-endian: the UTF "portable heap dump",
 * u4 version, u4 flags, u1 tag 1; header records up to tag 2; u1 tag 2; records of objects, arrays and classes up to
 * tag 3.
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
    PHD_FLAGS,      /* the byte behind it */
    PHD_COUNT,      /* what of the record stands before its references, and how many they are */
    PHD_CLASS,      /* what of a class stands before its name, and that one's size */
    PHD_CLASS_REFS, /* how many references a class has */
    PHD_ENDED,
    PHD_BROKEN
};

enum { PHD_JVM_MAX = 256 };

struct phd {
    enum phd_state state;
    uint64_t offset;        /* bytes fed so far */
    uint64_t record_offset; /* where the record we are in begins, or what should have been one */
    uint64_t skip;          /* bytes that say nothing of the layout */
    unsigned char head[32];
    unsigned head_size, wanted;
    unsigned version;
    bool wide;   /* words of 64 bits */
    bool hashed; /* every record has a hash of 16 bits: OpenJ9 before 2.6 */
    bool ints;   /* an old JVM that wrote ints where it said longs, in primitive arrays */
    unsigned char tag, flags;
    char jvm[PHD_JVM_MAX]; /* the version that the JVM calls itself; "" before it was seen */
    size_t jvm_size;
    const char *problem; /* static text, once PHD_BROKEN */
};

void phd_init(struct phd *p);
void phd_feed(struct phd *p, const void *data, size_t size);

/* At the end of the file: NULL if the dump is whole, else why not, in out[size]. */
const char *phd_partial(const struct phd *p, char *out, size_t size);
