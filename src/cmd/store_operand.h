/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines of what works on a store: prune and usage on a whole one, rm and pin on cases in one.
 */
#pragma once

#include "base/err.h"
#include "base/opt.h"
#include "ship/plan.h"

struct store_command {
    const struct opt *table;
    void *values;                    /* of the options */
    const struct plan_options *plan; /* among them */
};

/* "[URL]", else --to. *ret_url is malloc'ed. -FAULT_USAGE, -ENOMEM. */
int store_operand_parse(const struct store_command *c, const struct opt_argv *line, char **ret_url, struct err *e);

/* "URL…", at least one. As opt_parse. */
int case_operands_parse(const struct store_command *c, const struct opt_argv *line, char ***ret, struct err *e);
