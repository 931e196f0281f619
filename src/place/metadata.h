/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks the metadata services around us, all at the same time, and waits for none longer than METADATA_MS in all. Never
 * by a proxy. A service that is not there, slow or talks nonsense leaves its facts unknown: no failure of ours.
 */
#pragma once

#include <stdbool.h>

#include "place/facts.h"

enum { METADATA_MS = 1000 };

/* Which to ask. */
struct metadata_places {
    const char *ecs; /* ECS_CONTAINER_METADATA_URI_V4, or the same of version 3; NULL: don't ask */
    const char *ec2; /* "http://169.254.169.254"; NULL: don't ask */
};

/* Blocking. Fills in what is unknown in `into`. 0 or -ENOMEM. */
int metadata_ask(const struct metadata_places *p, struct facts *into);
