/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks the store: connection, credentials, permissions. Unlike ship/preflight.h it puts a tiny object, reads it back
 * and removes it. Never shows a secret.
 */
#pragma once

#include "probe/finding.h"
#include "ship/plan.h"

struct probe_store {
    const struct plan *plan;
    const char *credentials_file; /* --credentials-file, as given; NULL */
};

/* For finding_group: ctx is a struct probe_store. */
void probe_store(const struct findings *f, const void *ctx);
