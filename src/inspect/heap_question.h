/* SPDX-License-Identifier: Apache-2.0
 *
 * One question about a heap, instead of the report: paths to an object or to all objects of a class, what an object
 * dominates, texts that match. As text, or as JSON (schema "salvage.answer/1").
 */
#pragma once

#include <stdio.h>

#include "inspect/heap_report.h"

enum { STRINGS_MATCHES_MAX = 1000, STRINGS_TEXT_MAX = 4096, STRINGS_MS_MAX = 60 * 1000, STRINGS_PATTERN_MAX = 1000 };

/* One of the first three; the others NULL. */
struct heap_question {
    const char *path;    /* "0xe0010228" or "com.shop.Order" */
    const char *tree;    /* "0xe0010228" or "roots" */
    const char *strings; /* a POSIX extended regular expression */
    unsigned top;        /* rows */
    bool json;
};

static inline bool heap_question_asked(const struct heap_question *q)
{
    return q->path || q->tree || q->strings;
}

/* -FAULT_USAGE: no such object, class; no regular expression. */
int heap_question_answer(struct heap_report *r, const struct heap_question *q, FILE *out, struct err *e);

/* Each of them as JSON, which is the caller's. */
int question_path(struct heap_report *r, const struct heap_question *q, json_t **ret, struct err *e);
int question_tree(struct heap_report *r, const struct heap_question *q, json_t **ret, struct err *e);
int question_strings(struct heap_report *r, const struct heap_question *q, json_t **ret, struct err *e);

/* The node of "0xe0010228"; HEAP_NONE. */
uint32_t question_node(const struct heap *h, const char *text);

/* An object by name: "com.shop.Order", "class com.shop.Cart". */
json_t *question_object(const struct heap *h, uint32_t node);
