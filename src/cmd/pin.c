/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage pin, salvage unpin: which cases no retention removes.
 */
#include <stddef.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/case_operand.h"
#include "cmd/commands.h"
#include "cmd/store_operand.h"
#include "ship/case_remove.h"

struct pin_options {
    struct plan_options plan;
};

static const struct opt PIN_OPTIONS[] = {
    PLAN_OPTIONS_STORE(struct pin_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int pin_one(const struct pin_options *o, const char *operand, bool pinned, struct err *e)
{
    CLEANUP(case_operand_done) struct case_operand one = {0};
    int r = case_operand_open(&o->plan, operand, true, &one, e);

    return r < 0 ? r : case_pin(one.sink, one.id, pinned, e);
}

static int run(int argc, char **argv)
{
    struct pin_options o = {0};
    const struct store_command command = {PIN_OPTIONS, &o, &o.plan};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int count = case_operands_parse(&command, &(struct opt_argv){argc, argv}, &operands, &e), r = 0;

    if (count < 0)
        return command_fail(count, &e);
    for (int i = 0; i < count && r == 0; i++)
        r = pin_one(&o, operands[i], text_eq(argv[0], "pin"), &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_PIN = {
    .name = "pin",
    .args = "URL...",
    .summary = "keep cases from being removed by retention",
    .text =
        "URL is a case's folder or one of its objects, as `salvage ls` shows it; without :// it is a key in the store "
        "of "
        "--to. The pin is a small object beside the folder, CASE.pin: `salvage prune` and the retention of `salvage "
        "serve` leave such cases alone.",
    .examples = "salvage pin s3://evidence/prod/shop/cart-0/20261121T015605Z-java-oom-0123456789abcdef\n"
                "    the case stays until it is unpinned or removed by name\n",
    .options = PIN_OPTIONS,
    .run = run,
};

const struct command CMD_UNPIN = {
    .name = "unpin",
    .args = "URL...",
    .summary = "let retention remove cases again",
    .text = "The other way of `salvage pin`.",
    .options = PIN_OPTIONS,
    .run = run,
};
