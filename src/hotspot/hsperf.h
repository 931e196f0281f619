/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The counters that HotSpot keeps in /tmp/hsperfdata_USER/PID (layout 2.0: perfMemory.hpp, perfData.cpp;
 * JDK 8 to 25 write the same). Parses bytes that the caller has read, and trusts none: an offset or a length
 * that leads out of them is never followed. Doesn't know what the counters mean.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HSPERF_PROLOGUE_SIZE = 32 };

struct hsperf {
    const unsigned char *data; /* borrowed */
    size_t size;
    size_t first; /* where the entries begin */
    bool big_endian;
};

/* -EBADMSG for what is no such file; -EAGAIN while the JVM has not finished to set it up, or has not begun. */
int hsperf_init(struct hsperf *ret, const void *data, size_t size);

/* A counter: a number, or a text. */
struct hsperf_entry {
    const char *name;
    size_t name_size;
    const unsigned char *value; /* of a number: 8 bytes, in the JVM's order */
    size_t value_size;          /* of a text: with the NUL that ends it, and what is behind */
    char type;                  /* 'J' a number, 'B' a text */
};

/* Each entry in turn; *at is 0 at the beginning. False at the end. Entries that make no sense are passed over, and one
 * whose length makes none ends the list. */
bool hsperf_next(const struct hsperf *h, size_t *at, struct hsperf_entry *ret);
int64_t hsperf_number(const struct hsperf *h, const struct hsperf_entry *entry);

/* False if there is none of that name and sort. */
bool hsperf_long(const struct hsperf *h, const char *name, int64_t *ret);

/* As it stands, cut to fit into out[size]: may hold control characters and malformed UTF-8. */
bool hsperf_string(const struct hsperf *h, const char *name, char *out, size_t size);
