/* SPDX-License-Identifier: Apache-2.0
 *
 * How many objects are decoded at one time: in all, and for one caller, so that one can't take all from the others.
 */
#pragma once

#include <stdint.h>

struct decode_slots;

/* NULL without memory. */
struct decode_slots *decode_slots_new(unsigned in_all, unsigned of_one);
void decode_slots_free(struct decode_slots *s); /* none is taken */

/* Waits for a slot, at most timeout_ms. 0; -EBUSY; -ENOMEM. */
int decode_slots_take(struct decode_slots *s, const char *who, uint64_t timeout_ms);
void decode_slots_give(struct decode_slots *s, const char *who);
