/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Whether a minidump is whole, as its bytes stream by. Foreign bytes: keeps no data, never allocates,
 * every byte costs a constant. Format: Microsoft's minidumpapiset.h; all little-endian. A header names a directory of
 * streams, and the streams name further places in the file (threads' stacks, modules' records, memory): a file is whole
 * if it reaches to the end of them all. A stream that lies in front of what names it is not looked into.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MINIDUMP_TABLES_MAX = 8, MINIDUMP_ENTRY_MAX = 168 };

/* Entries of one kind, one behind the other. */
struct minidump_table {
    unsigned type;       /* the stream's, or one of minidump.c's own */
    uint64_t at;         /* where the next entry begins; in front of the file's position: never comes */
    uint64_t size;       /* of the stream */
    uint64_t left;       /* entries */
    unsigned entry_size; /* 0: how many there are is what comes next */
};

struct minidump {
    uint64_t offset;    /* bytes fed so far */
    uint64_t end;       /* how far the file has to go, as far as is known */
    uint64_t memory_at; /* where the next range of a 64-bit list of memory lies */
    struct minidump_table tables[MINIDUMP_TABLES_MAX];
    unsigned count;
    unsigned char head[MINIDUMP_ENTRY_MAX];
    unsigned head_size;
    bool listed;    /* the directory was read to its end */
    bool exception; /* it was made for an exception */
    uint32_t pid;   /* 0 unknown */
};

void minidump_init(struct minidump *m);
void minidump_feed(struct minidump *m, const void *data, size_t size);

/* At the end of the file: NULL if the dump is whole, else why not, in out[size]. */
const char *minidump_partial(const struct minidump *m, char *out, size_t size);
