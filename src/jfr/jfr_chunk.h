/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A chunk of a flight recording, format 2.x (OpenJDK 8u262, 9 and newer; jfrChunkHeader.cpp,
 * jdk.jfr.internal.consumer.ChunkHeader): a header, events one after the other, among them its types and the constants
 * that events refer to. A file has one chunk or more. A chunk that the JVM did not finish, or that is cut, gives the
 * events that are there; without types in it, with those of the chunk before.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jfr/jfr_bytes.h"
#include "jfr/jfr_types.h"

enum { JFR_HEADER = 68, JFR_CONSTANTS_MAX = 1 << 21 };

struct jfr_constant {
    uint64_t key;
    const unsigned char *at; /* its value */
    int class;
};

struct jfr_chunk {
    const unsigned char *from, *end; /* events; end of what is there */
    uint64_t start_ns;               /* since 1970 */
    uint64_t duration_ns;            /* 0: not finished */
    uint64_t start_ticks, ticks_per_second;
    bool compressed;
    bool finished;
    const char *cut;                /* why not all of it is read; NULL: it is. Static text */
    struct jfr_types types;         /* class_count 0: unknown */
    struct jfr_constant *constants; /* by class and key; owned */
    size_t constant_count, constant_capacity;
};

struct jfr_event {
    uint64_t type;            /* a class's id */
    struct jfr_cursor fields; /* ends where the event does */
};

/* The chunk at data, of which `size` bytes are there. constants: names of the classes whose constants are to be found,
 * up to NULL. before: types for a chunk that has none; NULL. -EBADMSG: no chunk; -EPROTONOSUPPORT: another format,
 * *ret_next is set then, too; -ENOMEM. *ret_next: where the next chunk begins, or the end. */
struct jfr_place {
    const unsigned char *data;
    size_t size;
};
int jfr_chunk_open(struct jfr_place place, const char *const *constants, const struct jfr_types *before,
                   struct jfr_chunk *ret, const unsigned char **ret_next);
void jfr_chunk_done(struct jfr_chunk *c);

/* The event at *at, which moves to the next one. False: no more. */
bool jfr_chunk_next(const struct jfr_chunk *c, const unsigned char **at, struct jfr_event *ret);

/* The value of a constant; false: it is not in the chunk. */
bool jfr_constant_find(const struct jfr_chunk *c, int class, uint64_t key, struct jfr_cursor *ret);

/* Nanoseconds of a number of ticks. */
uint64_t jfr_ticks_ns(const struct jfr_chunk *c, uint64_t ticks);
