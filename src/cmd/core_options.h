/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of `core install`, which its handler reads again.
 */
#pragma once

#include "base/opt.h"
#include "base/strv.h"
#include "node/core_rules.h"
#include "ship/key_template.h"

struct core_install_options {
    const char *dir;
    struct core_rules rules;
    struct strv line; /* what the rest points into, after core_options_read */
};

extern const struct opt CORE_INSTALL_OPTIONS[];

/* The options of `core install` as its configuration has them, and the environment that it has kept. What they point
 * into lives until core_options_done. */
struct core_config;
int core_options_read(const struct core_config *config, struct core_install_options *ret, struct rate *ret_rate,
                      struct err *e);
void core_options_done(struct core_install_options *o);
