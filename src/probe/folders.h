/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder that is watched: whether what appears there would be noticed, read, known to be whole, and erased.
 */
#pragma once

#include "probe/finding.h"

struct probe_folders {
    char *const *dirs; /* ends with NULL */
    const char *state; /* --state; NULL: .salvage in each folder */
};

/* For finding_group: ctx is a struct probe_folders. */
void probe_folders(const struct findings *f, const void *ctx);
