/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What an object's key and manifest say about its case.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "place/workload.h"
#include "ship/manifest.h"

/* Ends the key of an object that keeps a case from retention: the case's id and this. */
#define CASE_PIN_SUFFIX ".pin"

/* What is stored in the folder of a case and is no evidence: what was found out about it. */
#define CASE_DIGEST "digest.json"     /* docs/digest.md */
#define CASE_ANALYSIS "analysis.json" /* docs/inspect.md */
#define CASE_ANALYSIS_PAGE "analysis.html"

/* Whether the key's name is one of these: no manifest, though it ends like one. */
bool case_is_answer(const char *key);

/* Where such an answer (CASE_DIGEST …) about the object lies: in the case's folder, or, where the key template made
 * none, behind the object's key: "heap.hprof.analysis.json". Appended to ret. 0 or -ENOMEM. */
int case_answer_key(const char *key, const char *answer, struct buf *ret);

/* All names of answers, NULL at the end. */
extern const char *const CASE_ANSWERS[];

/* The folder of a key that the default template made, else the key itself; malloc'ed, NULL without memory. */
char *case_id(const char *key);

/* The part before the first '/', "" without one; malloc'ed, NULL without memory. A key says whose the case is (rights
 * are by it); a manifest could claim anything. */
char *case_namespace(const char *key);

/* When it happened: as the evidence says, unless that is more than a day after the manifest was stored. */
int64_t case_time_ns(const struct manifest *m, int64_t stored_ns);

/* The workload: from the pod's name, the ECS family, or the host; NULL if none is known. */
const char *case_workload(const struct manifest *m, char out[WORKLOAD_MAX]);

/* How much an object says about the death: of several the highest stands for the case. */
unsigned case_rank(const char *kind);

/* The words of a text for searching: letters and digits (bytes above 127 count as letters), the rest as spaces.
 * 0, -ENOMEM; words that do not fit are left out. */
int case_words(const struct manifest *m, struct buf *ret);
int case_words_add(const char *text, struct buf *ret);
