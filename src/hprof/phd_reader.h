/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The objects of a portable heap dump (hprof/phd.h says whether one is whole), one after the other, from
 * memory. It has addresses, classes and references, but neither fields nor contents, GC roots or stacks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hprof/phd.h"

enum phd_kind { PHD_OBJECT, PHD_OBJECT_ARRAY, PHD_PRIMITIVE_ARRAY, PHD_CLASS_OBJECT };

struct phd_object {
    enum phd_kind kind;
    uint64_t address;
    uint64_t class;     /* address of its class; of an array of objects: of its elements' class; else 0 */
    uint64_t length;    /* of an array */
    unsigned char type; /* enum heap_type of primitive elements */

    const char *name; /* of a class: "java/lang/String", "[B"; in the dump, not NUL-terminated */
    uint16_t name_size;
    uint64_t super;         /* of a class: address; 0: none */
    uint32_t instance_size; /* of a class: bytes of an instance, not aligned */

    const unsigned char *references; /* reference_count of them; see phd_reference */
    uint32_t reference_count;
    unsigned char reference_size;
};

/* The i-th object that it refers to; 0: none. */
uint64_t phd_reference(const struct phd_object *o, uint32_t i);

struct phd_reader {
    struct phd header;         /* version, words, the JVM's version text */
    const unsigned char *body; /* the first record */
    const unsigned char *end;
    const char *cut; /* why the walk ended before the end of a whole dump; NULL: it did not. Static text */
};

/* Reads the header. -EBADMSG: no portable heap dump, or not all of its header. */
int phd_reader_init(struct phd_reader *r, const void *data, size_t size);

/* All objects. 0, or what fn returned when that was not 0. Sets r->cut. */
int phd_reader_walk(struct phd_reader *r, int (*fn)(void *ctx, const struct phd_object *o), void *ctx);
