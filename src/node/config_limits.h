/* SPDX-License-Identifier: Apache-2.0
 *
 * `limits` of the configuration: what all components of an agent may use together, so that it never disturbs what runs
 * on the machine.
 */
#pragma once

#include <stdint.h>

#include "node/config_tree.h"

/* Strings point into the configuration's tree; NULL where the text has none. */
struct config_limits {
    const char *bandwidth;                  /* of all uploads */
    const char *keep_free, *disk_namespace; /* of watches: --keep-free, --retain-bytes-tenant */
    const char *disk_text;
    uint64_t disk;                             /* bytes, of all watches together; 0: not said */
    const char *captures, *captures_namespace; /* cases of guards that take evidence at the same time */
};

void config_limits_read(const struct config_node *n, struct config_limits *ret, struct config_errors *errors);

/* A rate of --bandwidth at this line. */
void config_limits_check_rate(const char *text, unsigned line, struct config_errors *errors);
