/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole analyses of heap dumps in the store (docs/inspect.md), asked for by a person or by a rule: one at a time, nice,
 * in a sandboxed process of limited memory; namespaces in turn. The results lie in the case as analysis.json and
 * analysis.html (case_answer_key), as with `watch --inspect`. What failed is remembered, and done again only if a
 * person asks. Thread-safe.
 */
#pragma once

#include <stdint.h>

#include "base/openmetrics.h"
#include "serve/analyse_rules.h"
#include "serve/background.h"
#include "ship/manifest.h"

struct analyses;
struct serve;

enum { ANALYSIS_MEMORY_LEAST = 48 * 1024 * 1024 };

struct analyses_config {
    uint64_t memory;            /* of one analysis, bytes; ANALYSIS_MEMORY_LEAST or more */
    struct analyse_rules rules; /* which cases without being asked */
};

/* Requests are taken at once, and worked on from analyses_begin on. */
int analyses_new(struct serve *s, struct analyses **ret, struct err *e);
int analyses_begin(struct analyses *a, struct err *e);
void analyses_stop(struct analyses *a); /* kills what runs, drops what waits; NULL is fine */
void analyses_free(struct analyses *a); /* after analyses_stop */

/* id: of a case. WORK_NONE: this server was not asked. The case may have an analysis all the same, of its shipper or of
 * another server: answer_is_stored says so. */
void analysis_state(struct analyses *a, const char *id, struct work_state *ret);

/* A person wants it: id of the case, key of its heap dump. 0, also if it waits or runs already; -FAULT_BUSY: too many
 * wait; -FAULT_REFUSED: this namespace has none. */
int analysis_request(struct analyses *a, const char *id, const char *key, struct err *e);

/* Whether analyses of this namespace can be asked for. */
bool analysis_allowed(const struct analyses *a, const char *id);

/* The manifest of this key was found in the store: analysed if it is of a heap dump, and a rule says so. */
void analysis_arrived(struct analyses *a, const char *key, const struct manifest *m);

/* The object of this key was removed: what is known of its case may no longer be so. */
void analysis_removed(struct analyses *a, const char *key);

void analyses_metrics(struct analyses *a, struct openmetrics *m);
