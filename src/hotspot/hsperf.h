/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The counters that HotSpot keeps in /tmp/hsperfdata_USER/PID (layout 2.0: perfMemory.hpp, perfData.cpp;
 * JDK 8 to 25 write the same). Parses bytes that the caller has read; never follows an offset or a length beyond them.
 * Does not interpret the counters.
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

/* -EBADMSG if it is not such a file; -EAGAIN while the JVM has not finished setting it up. */
int hsperf_init(struct hsperf *ret, const void *data, size_t size);

/* A counter: a number, or a text. */
struct hsperf_entry {
    const char *name;
    size_t name_size;
    const unsigned char *value; /* of a number: 8 bytes, in the JVM's order */
    size_t value_size;          /* of a text: with its NUL and the padding */
    char type;                  /* 'J' a number, 'B' a text */
};

/* The next entry; *at is 0 at the beginning. False at the end. Malformed entries are skipped; an invalid length ends
 * the list. */
bool hsperf_next(const struct hsperf *h, size_t *at, struct hsperf_entry *ret);
int64_t hsperf_number(const struct hsperf *h, const struct hsperf_entry *entry);

/* False if there is no counter of that name and type. */
bool hsperf_long(const struct hsperf *h, const char *name, int64_t *ret);

/* The raw text, cut to fit into out[size]: may contain control characters and malformed UTF-8. */
bool hsperf_string(const struct hsperf *h, const char *name, char *out, size_t size);
