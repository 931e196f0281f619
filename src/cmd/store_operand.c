/* SPDX-License-Identifier: Apache-2.0
 *
 * Operands, and what to say without them.
 */
#include "cmd/store_operand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int store_operand_parse(const struct store_command *c, const struct opt_argv *line, char **ret_url, struct err *e)
{
    CLEANUP_FREE char **operands = NULL;
    int count = opt_parse(c->table, line, c->values, &operands, e);
    const char *name = line->argv[0];

    if (count < 0)
        return count;
    if (count > 1)
        return err_set(e, -FAULT_USAGE, "%s: '%s' is one argument too many", name, operands[1]);
    if (count == 0 && !c->plan->to)
        return err_set(e, -FAULT_USAGE, "%s: which store? salvage %s URL, or --to URL", name, name);
    *ret_url = strdup(count > 0 ? operands[0] : c->plan->to);
    return *ret_url ? 0 : err_set(e, -ENOMEM, "out of memory");
}

int case_operands_parse(const struct store_command *c, const struct opt_argv *line, char ***ret, struct err *e)
{
    int count = opt_parse(c->table, line, c->values, ret, e);

    return count != 0 ? count
                      : err_set(e, -FAULT_USAGE, "%s: which case? salvage %s URL..., as `salvage ls` shows them",
                                line->argv[0], line->argv[0]);
}
