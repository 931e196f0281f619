/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of `core install`, which its handler reads again.
 */
#pragma once

#include "base/opt.h"
#include "base/strv.h"
#include "node/core_choice.h"
#include "ship/key_template.h"

struct core_install_options {
    const char *dir;
    struct core_rules rules;
};

extern const struct opt CORE_INSTALL_OPTIONS[];

/* The sets of a handler's configuration as options. What they point into lives until core_options_done. */
struct core_options {
    struct core_option_set *set; /* owned */
    struct core_choice *choice;  /* owned */
    size_t count;
};

int core_options_read(const struct core_config *config, struct core_options *ret, struct err *e);
void core_options_done(struct core_options *o);

/* Whether `core install` would accept this command line. */
int core_install_check(int argc, char **argv, struct err *e);
