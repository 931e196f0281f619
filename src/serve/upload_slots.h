/* SPDX-License-Identifier: Apache-2.0
 *
 * Which exchange works on which resumable upload: one at a time. The newest wins: a client that asks again has given
 * the earlier connection up, even if we don't know yet that it is broken.
 */
#pragma once

#include "base/err.h"
#include "net/http_server.h"

struct upload_slots;
struct upload_slot;

struct upload_slots *upload_slots_new(void); /* NULL without memory */
void upload_slots_free(struct upload_slots *t);

/* Breaks off an earlier exchange with this id, and waits until it has ended. -FAULT_BUSY: it does not end in time (it
 * commits, and the disk is slow); -ENOMEM. */
int upload_slot_take(struct upload_slots *t, const char *id, struct exchange *x, struct upload_slot **ret,
                     struct err *e);
void upload_slot_release(struct upload_slot *slot); /* NULL is fine */
