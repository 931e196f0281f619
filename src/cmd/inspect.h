/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of `inspect` that its sandboxed child (cmd/inspect_child.c) gets too: what is shown, and how.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"

struct inspect_view {
    uint64_t top;
    const char *path, *tree, *strings; /* at most one */
    bool threads, json;
    uint64_t ceiling; /* of private memory, bytes; 0: what there is. Set by whoever starts the child */
    uint64_t memory;  /* of the heap's graph, bytes: with it, a temporary file is the last descriptor; 0: no limit */
    bool verify;
    bool bold;              /* a terminal; set by inspect, no option of users */
    const char *crash_logs; /* of a core: what may be the JVM's; set by inspect */
    bool symbols;           /* of a core: ask for executables; set by inspect */
    bool page;              /* the answer is a page of HTML; set by inspect's --html */
};

/* clang-format off */
/* Rows of an option table for the field v, a struct inspect_view, of the struct o. */
#define INSPECT_VIEW_OPTIONS(o, v)                                                                                     \
    {OPT_HEADING, .name = "One question instead"},                                                                     \
    {OPT_STRING, 0, "path", "ID|CLASS", NULL, offsetof(o, v.path),                                                     \
     "the shortest paths from GC roots to an object, or to all objects of a class, merged"},                           \
    {OPT_STRING, 0, "tree", "ID|roots", NULL, offsetof(o, v.tree), "what an object dominates, the largest first"},     \
    {OPT_STRING, 0, "strings", "RE", NULL, offsetof(o, v.strings),                                                     \
     "texts that match a POSIX extended regular expression, and what holds them"},                                     \
    {OPT_HEADING, .name = "Output"},                                                                                   \
    {OPT_UINT, 'n', "top", "N", "8", offsetof(o, v.top), "classes that are shown, or rows of an answer"},              \
    {OPT_FLAG, 0, "threads", NULL, NULL, offsetof(o, v.threads), "the stacks of all threads, and what each keeps alive"}, \
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(o, v.json), "all of it as JSON"},                                       \
    {OPT_HEADING, .name = "Analysis"},                                                                                 \
    {OPT_SIZE, 0, "memory", "SIZE", "0", offsetof(o, v.memory),                                                        \
     "memory for the graph of a heap; what is more lies in a file without a name in TMPDIR; 0: all in memory"},        \
    {OPT_FLAG, 0, "verify", NULL, NULL, offsetof(o, v.verify),                                                         \
     "find the dominators a second time, by another algorithm, and compare"},                                          \
    {OPT_EXCLUDES, 0, "path", "tree", NULL, 0, NULL}, {OPT_EXCLUDES, 0, "path", "strings", NULL, 0, NULL},             \
    {OPT_EXCLUDES, 0, "tree", "strings", NULL, 0, NULL}
/* clang-format on */

/* The child's table, of a struct inspect_view. */
extern const struct opt INSPECT_CHILD_OPTIONS[];

/* Prints what the child says of a dump in memory; name: for people. */
int inspect_text(const struct inspect_view *v, const struct buf *text, const char *name, struct err *e);
