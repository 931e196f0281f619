/* SPDX-License-Identifier: Apache-2.0
 *
 * A case that a command line names: by the URL of its folder or of one of its objects, as `salvage ls` shows them, or
 * by its key in the store of --to.
 */
#pragma once

#include "ship/case_remove.h"
#include "ship/plan.h"
#include "store/sink.h"

struct case_operand {
    struct sink_config config;
    struct sink *sink;
    char *id; /* relative to the store that was opened */
    struct case_objects objects;
};

/* whole: an object in a case's folder stands for the case. -FAULT_USAGE: no store is named; -FAULT_NO_OBJECT: it is
 * neither a case's folder nor an object; the store's faults. */
int case_operand_open(const struct plan_options *plan, const char *operand, bool whole, struct case_operand *ret,
                      struct err *e);
void case_operand_done(struct case_operand *o);
