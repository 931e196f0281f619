/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that says nothing new: arrays of primitive elements with the same content (those of Strings apart), arrays of
 * nothing but zeros, boxed numbers of the same value. Reachable objects alone.
 */
#pragma once

#include "inspect/content_table.h"
#include "inspect/heap_objects.h"
#include "inspect/heap_survey.h"

enum { WASTE_TOP = 20, WASTE_CANDIDATES = 64, WASTE_CONTENT_BYTES = 256, WASTE_PENDING = 16 };

/* One content that is there several times. */
struct waste_content {
    uint64_t digest, lost; /* bytes beyond the first */
    uint32_t count, length, node, type;
    unsigned char data[WASTE_CONTENT_BYTES]; /* its beginning */
    uint32_t data_size;
    char *text; /* of a String: UTF-8, at most WASTE_CONTENT_BYTES characters; owned */
};

/* Of one kind: the largest losses first, once waste_end was called. */
struct waste_kind {
    uint64_t count; /* arrays beyond the first of each content */
    uint64_t bytes; /* theirs */
    struct waste_content top[WASTE_CANDIDATES];
    unsigned top_count;
    uint64_t least; /* of the candidates', once there are all of them */
};

struct waste_box {
    uint64_t count, duplicates, bytes; /* bytes: of the duplicates */
};

struct waste_zeros {
    uint64_t count, bytes;
};

struct waste_pending {
    uint64_t digest;
    uint32_t node, type;
    struct heap_array array; /* no data: a boxed number */
};

struct waste {
    const struct heap *h;
    struct content_table table;
    struct waste_kind strings, arrays;
    struct waste_zeros zeros[HEAP_TYPE_END]; /* by type of element */
    struct waste_box *box;                   /* by type: java.lang.Integer …; owned */
    uint32_t string_type;
    struct heap_place string_value, string_coder;
    struct big_array is_text, is_utf16; /* a bit for each node: the array of a String */
    struct waste_pending pending[WASTE_PENDING];
    unsigned pending_count;
    bool incomplete; /* there were more contents than are remembered */
};

int waste_begin(struct waste *w, const struct heap *h); /* -ENOMEM, or -errno of big_memory */
struct survey_part waste_part(struct waste *w);
int waste_end(struct waste *w); /* -ENOMEM */
void waste_done(struct waste *w);

bool waste_is_box(const char *class);
