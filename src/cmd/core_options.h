/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of `core install`, which its handler reads again.
 */
#pragma once

#include "base/opt.h"
#include "node/core_rules.h"
#include "ship/key_template.h"

struct core_install_options {
    const char *dir;
    struct core_rules rules;
};

extern const struct opt CORE_INSTALL_OPTIONS[];

/* The options of `core install` as its configuration has them, and the environment that it has kept. What they point
 * into lives as long as the process. */
struct core_config;
int core_options_read(const struct core_config *config, struct core_install_options *ret, struct rate *ret_rate,
                      struct err *e);
