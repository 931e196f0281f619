/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Whether a minidump is complete, checked while its bytes stream by. Stores no data, never allocates,
 * constant work per byte. Format: Microsoft's minidumpapiset.h, little-endian. A header points to a directory of
 * streams, and the streams point to further places in the file (stacks of threads, records of modules, memory): the
 * file is complete if it reaches to the end of all of them. A stream that lies before the entry that points to it is
 * not parsed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MINIDUMP_TABLES_MAX = 8, MINIDUMP_ENTRY_MAX = 168 };

/* Consecutive entries of one kind. */
struct minidump_table {
    unsigned type;       /* the stream's, or one of minidump.c's own */
    uint64_t at;         /* offset of the next entry; before the current offset: never reached */
    uint64_t size;       /* of the stream */
    uint64_t left;       /* entries */
    unsigned entry_size; /* 0: the number of entries comes next */
};

struct minidump {
    uint64_t offset;    /* bytes fed so far */
    uint64_t end;       /* the file has to reach to here, as far as is known */
    uint64_t memory_at; /* offset of the next range of a 64-bit memory list */
    struct minidump_table tables[MINIDUMP_TABLES_MAX];
    unsigned count;
    unsigned char head[MINIDUMP_ENTRY_MAX];
    unsigned head_size;
    bool listed;    /* the whole directory was read */
    bool exception; /* it has an exception stream */
    uint32_t pid;   /* 0 unknown */
};

void minidump_init(struct minidump *m);
void minidump_feed(struct minidump *m, const void *data, size_t size);

/* At the end of the file: NULL if the dump is complete, else why not, in out[size]. */
const char *minidump_partial(const struct minidump *m, char *out, size_t size);
