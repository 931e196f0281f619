/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole analysis of a heap dump beside the shipping of others (--inspect): nice, in a child in its sandbox
 * (ship/analysis_request.h), one at a time on the machine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* All borrowed. */
struct analysis_order {
    int fd; /* of a plain dump; borrowed */
    const char *name;
    uint64_t memory;         /* of the child, bytes */
    bool (*stop)(void *ctx); /* asked several times a second; true: -ECANCELED. May be NULL */
    void *ctx;
};

struct analysis_answer {
    struct buf json; /* analysis.json, schema salvage.analysis/1 */
    struct buf page; /* the same as a page of HTML */
    bool unfiltered; /* there was no seccomp for the child */
};

/* Waits for other analyses first. 0; -FAULT_FORMAT: no dump, or the child crashed; -ETIMEDOUT, -ECANCELED, -ENOMEM,
 * -FAULT_NO_PROCESS. */
int analysis_make(const struct analysis_order *order, struct analysis_answer *ret, struct err *e);
void analysis_answer_done(struct analysis_answer *a);
