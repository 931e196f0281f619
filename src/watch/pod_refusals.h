/* SPDX-License-Identifier: Apache-2.0
 *
 * What pods' annotations ask for and can't have: an event for each pod, folder and reason, once as long as the pod is
 * there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pod_row;

enum { POD_REFUSALS_MAX = 2048 };

struct pod_refusals {
    struct pod_refusal {
        uint64_t pod, what; /* hashes */
        bool seen;          /* the pod is in the table */
    } * item;               /* owned */
    size_t count, capacity;
};

/* Beyond POD_REFUSALS_MAX nothing is said: rather that than the same again and again. */
void pod_refusals_add(struct pod_refusals *r, const struct pod_row *pod, const char *folder, const char *error);

/* The pod is there. forget: what was said of all others. */
void pod_refusals_mark(struct pod_refusals *r, const char *pod_uid);
void pod_refusals_forget(struct pod_refusals *r);
void pod_refusals_done(struct pod_refusals *r);

/* Why a folder can't be opened (watch/pod_folder.h, watch/source.h), and what helps. */
const char *pod_refusals_reason(int error, bool volume);
