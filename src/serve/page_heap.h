/* SPDX-License-Identifier: Apache-2.0
 *
 * What was found out about a case's heap (digest.json, analysis.json beside its objects) on the page of the case.
 */
#pragma once

#include <jansson.h>

#include "serve/page_evidence.h"

struct heap_answers {
    json_t *digest, *analysis; /* owned; NULL: there is none, or it can't be shown now */
    struct err trouble;        /* why not; "": nothing is in the way */
    bool has_slot;             /* of the few that may be held in memory at once */
};

/* Whether somebody could find something out about the heap of this case. */
bool heap_answers_possible(const struct evidence *v);

/* Reads them from the store, if the caller of the page may look inside. heap_answers_done() frees it. */
void heap_answers_load(struct serve *s, const struct evidence *v, struct heap_answers *ret);
void heap_answers_done(struct heap_answers *a);

/* What the evidence says, below the sentence on top. */
void heap_answers_lead(struct html *h, const struct evidence *v, const struct heap_answers *a);

/* Links to the sections of a long page, and to a comparison with another case; nothing without them. */
void heap_answers_jump(struct html *h, const struct evidence *v, const struct heap_answers *a);

/* The sections: what says why, and the long lists of an analysis, which come behind the files. */
void heap_answers_write(struct html *h, const struct heap_answers *a);
void heap_answers_write_lists(struct html *h, const struct heap_answers *a);
