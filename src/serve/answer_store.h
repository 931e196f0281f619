/* SPDX-License-Identifier: Apache-2.0
 *
 * What this server found out about evidence, stored beside it (ship/case_facts.h): within the namespace's share of the
 * disk, and not about evidence that was removed meanwhile.
 */
#pragma once

#include "serve/serve.h"

struct found_answer {
    const char *key;                   /* of the evidence */
    const struct small_object *object; /* `key` is only the name: CASE_DIGEST … */
    unsigned count;
};

/* -FAULT_FULL: the disk, or the share of the namespace; -FAULT_NO_OBJECT: the evidence is gone; the store's faults. */
int answer_store(struct serve *s, const struct found_answer *a, struct err *e);

/* The object of this key was removed: if it was a heap dump, what was found out about it goes, too, as it holds texts
 * of the heap. Of several dumps in one folder the answers are about one; they go with any. */
void answers_remove(struct serve *s, const char *key);

/* Whether there is such an answer about the evidence: 1, 0, or what the store fails at. */
int answer_is_stored(struct serve *s, const char *key, const char *name, struct err *e);
