/* SPDX-License-Identifier: Apache-2.0
 *
 * One file shipped in the foreground, by this process: waits for its writer and for the store, tells how it goes on
 * stderr and where it went on stdout. For `ship`; a watch ships through agent/pool.h.
 */
#pragma once

#include "agent/job.h"
#include "agent/plan.h"

/* What is the same for all files of one command. */
struct shipping {
    const struct plan *plan;
    const struct whoami *who;
    const struct facts *facts;
    struct sink *sink; /* opened when first needed; the caller closes it */
    const char *state; /* --state; NULL: beside the file */
    const char *cause;
    bool json;                 /* the manifest on stdout, not the URL */
    uint64_t pid;              /* the process that it tells about, where known; 0 */
    const char *jvm, *command; /* of that process; NULL unknown */
    bool sentence;             /* on stdout a line for the log of somebody else */
};

/* Ships, and unless the plan says to keep it erases the file. */
int shipping_file(struct shipping *s, const char *path, struct err *e);
