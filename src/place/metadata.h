/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks the metadata services of ECS and EC2, all at the same time and for METADATA_MS in all. Never by a proxy. The
 * facts of a service that is missing, slow or wrong stay unknown; that is no failure.
 */
#pragma once

#include <stdbool.h>

#include "place/facts.h"

enum { METADATA_MS = 1000 };

/* Which to ask. */
struct metadata_places {
    const char *ecs; /* ECS_CONTAINER_METADATA_URI_V4, or the same of version 3; NULL: don't ask */
    bool ec2;        /* net/imds.h says where */
};

/* Blocking. Fills in what is unknown in `into`. 0 or -ENOMEM. */
int metadata_ask(const struct metadata_places *p, struct facts *into);
