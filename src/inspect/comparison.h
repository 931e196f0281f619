/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What grew from one heap to another: by class, package, class loader and suspect. From two analyses
 * ("salvage.analysis/1") or digests ("salvage.digest/1", which have classes only), made here or read back from a store,
 * where anybody may have written them: what is missing or no number is 0. Text, JSON (schema "salvage.comparison/1",
 * docs/inspect.md) and HTML come from this. All texts are borrowed from the two objects.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/html.h"

enum { COMPARISON_ROWS_MAX = 50000, COMPARISON_SUSPECTS_MAX = 5 }; /* of each heap */

/* Numbers at [0] are before, at [1] after. None is above INT64_MAX. */
struct comparison_row {
    const char *name;
    uint64_t count[2];    /* objects; of class loaders: loaders of this class */
    uint64_t bytes[2];    /* their own size */
    uint64_t retained[2]; /* 0 where a digest is compared */
};

/* Rows that differ, the largest growth first: of bytes for classes, of what is kept alive for the others. */
struct comparison_rows {
    struct comparison_row *row; /* owned */
    size_t count, same;         /* same: rows without a difference, which are left out */
    bool cut;                   /* one of the heaps had more: what is absent may be small instead */
};

enum suspect_change {
    SUSPECT_GREW,
    SUSPECT_NEW, /* before, it was none, and not found: it kept less than a tenth */
    SUSPECT_SAME,
    SUSPECT_SHRANK,
    SUSPECT_GONE
};

struct compared_suspect {
    enum suspect_change change;
    const json_t *of[2];  /* as in the analysis; NULL: it is no suspect there */
    bool known[2];        /* how much it keeps alive there */
    uint64_t retained[2]; /* 0 unknown */
};

/* A heap as a whole. */
struct compared_heap {
    const char *name, *time, *cut; /* "" unknown */
    bool digest;
    uint64_t dump_bytes, objects, bytes, unreachable_objects, unreachable_bytes;
};

struct comparison {
    struct compared_heap heap[2];
    bool digest; /* of one at least: all objects are compared, with those that are garbage; no suspects */
    struct comparison_rows classes, packages, loaders;
    struct compared_suspect suspect[2 * COMPARISON_SUSPECTS_MAX]; /* the largest growth first */
    size_t suspects;
};

/* Whether it can be compared: an analysis or a digest. */
bool comparison_can(const json_t *heap);

/* Both must outlive it. -FAULT_CORRUPT: one can't be compared; -ENOMEM. */
int comparison_make(const json_t *before, const json_t *after, struct comparison *ret, struct err *e);
void comparison_done(struct comparison *c);

/* The suspect that both say most of: the later's, unless it is gone. Borrowed. */
const json_t *compared_suspect_json(const struct compared_suspect *s);

const char *suspect_change_name(enum suspect_change change); /* "grew" */

/* b - a; both at most INT64_MAX. */
int64_t comparison_growth(const uint64_t of[2]);

void comparison_print(const struct comparison *c, unsigned top, bool bold, FILE *out);

/* NULL without memory. */
json_t *comparison_json(const struct comparison *c);

/* The sections, each with its heading; nothing where there is nothing. */
void comparison_html_sentence(struct html *h, const struct comparison *c); /* a heading's text */
void comparison_html_facts(struct html *h, const struct comparison *c);
void comparison_html_sections(struct html *h, const struct comparison *c);
