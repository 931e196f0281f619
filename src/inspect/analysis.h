/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. An analysis (schema "salvage.analysis/1", docs/inspect.md) as HTML: made here, or read back from a
 * store, where anybody may have written it. What is missing or no number leaves its place empty. All text goes through
 * base/html.h.
 */
#pragma once

#include <jansson.h>

#include "base/html.h"

/* What pages show at most. */
enum {
    ANALYSIS_SUSPECTS = 5,
    ANALYSIS_ROWS = 100,        /* of each table */
    ANALYSIS_FRAMES = 100,      /* of a stack */
    ANALYSIS_TREE_NODES = 2000, /* HTML_DEPTH_MAX limits its levels */
};

/* Whether this is an analysis of a schema that we read. */
bool analysis_known(const json_t *a);

/* What filled the heap, in a sentence or two: the page's heading. */
void analysis_html_sentence(struct html *h, const json_t *a);

/* The thread that ran out of memory, and where; nothing if none did. A paragraph. */
void analysis_html_victim(struct html *h, const json_t *a);

/* When, how large, how many objects; that the dump is cut. */
void analysis_html_facts(struct html *h, const json_t *a);

/* The sections, each with its heading; nothing where the analysis has nothing. */
void analysis_html_suspects(struct html *h, const json_t *a);
void analysis_html_tree(struct html *h, const json_t *a); /* picture and tree */
void analysis_html_waste(struct html *h, const json_t *a);
void analysis_html_threads(struct html *h, const json_t *a);
void analysis_html_classes(struct html *h, const json_t *a);  /* packages and class loaders, too */
void analysis_html_sections(struct html *h, const json_t *a); /* all of these */

/* A stack: a list of texts. */
void analysis_html_frames(struct html *h, const json_t *frames);

/* A suspect's path, from a root on. Nothing without one. */
void analysis_html_path(struct html *h, const json_t *path);

/* Fields, as they should be: "" and 0 for what is missing or of another type. Borrowed. */
const char *analysis_text(const json_t *object, const char *name);
uint64_t analysis_number(const json_t *object, const char *name);
