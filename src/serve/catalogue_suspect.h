/* SPDX-License-Identifier: Apache-2.0
 *
 * What the analyses beside the objects of cases suspect (ship/case_suspect.h). An analysis is read once, when a listing
 * has it first or it has changed, and after this server stored one.
 */
#pragma once

#include "serve/catalogue_pass.h"

/* With the writing side's lock: a case that is new gets what is known of it; one that is removed gives its words back.
 */
int suspect_join(struct index *x, int64_t id, struct err *e);
int suspect_leave(struct index *x, int64_t id, struct err *e);

/* Whether the key is that of an analysis beside objects of a case. */
bool suspect_is_key(const char *key);

/* An analysis of a listing: remembered for pass_read_suspects if it has not been read, or is another by now. */
int pass_on_analysis(struct refresh *r, const struct sink_listing_entry *entry);

/* Reads those that were remembered. One that can't be read now is read with the next listing. */
int pass_read_suspects(struct refresh *r, struct err *e);

/* Forgets those that the listing of the whole store had not. */
int pass_drop_suspects(struct refresh *r, struct err *e);

/* Reads one again. */
int suspect_renew(struct catalogue *c, const char *key, struct err *e);
