/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the evidence of a request goes, by the node's configuration: read again when the file has changed; while it has
 * an error, as it was. Not thread-safe.
 */
#pragma once

#include "node/components.h"
#include "node/request_target.h"

struct request_rules;

/* path: of the configuration, borrowed. log: of those command lines. -FAULT_USAGE with the first error, -errno. */
int request_rules_open(const char *path, enum log_format log, struct request_rules **ret, struct err *e);
void request_rules_free(struct request_rules *r);
DEFINE_CLEANUP(struct request_rules *, request_rules_free)

/* Adds options of the store, and its credentials, to a command line. -FAULT_REFUSED with a sentence: no rule fits the
 * pod, or its rule takes no requests; -ENOMEM. */
int request_rules_find(struct request_rules *r, const struct request_pod *pod, const char *namespace,
                       struct component_spec *ret, struct err *e);
