/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage rm: single cases or objects out of a store, pinned or not.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/case_operand.h"
#include "cmd/commands.h"
#include "cmd/store_operand.h"
#include "ship/case_remove.h"

struct rm_options {
    struct plan_options plan;
    bool yes;
};

static const struct opt RM_OPTIONS[] = {
    {OPT_HEADING, .name = "Removing"},
    {OPT_FLAG, 'y', "yes", NULL, NULL, offsetof(struct rm_options, yes), "do not ask"},
    PLAN_OPTIONS_STORE(struct rm_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* Whether the person at the terminal agrees. */
static bool asked(const struct case_operand *o, const char *operand)
{
    char size[TEXT_SIZE_MAX], answer[16] = "";

    command_say("remove %s: %zu files, %s? [y/N]", operand, o->objects.keys.count,
                text_format_size(o->objects.bytes, size));
    return fgets(answer, sizeof(answer), stdin) && (text_eq(answer, "y\n") || text_eq(answer, "yes\n"));
}

static int remove_one(const struct rm_options *o, const char *operand, struct err *e)
{
    CLEANUP(case_operand_done) struct case_operand one = {0};
    int r = case_operand_open(&o->plan, operand, false, &one, e);

    if (r < 0)
        return r;
    if (!o->yes && !asked(&one, operand))
        return err_set(e, -ECANCELED, "%s stays", operand);
    if ((r = case_remove(one.sink, &one.objects.keys, NULL, NULL, e)) < 0 ||
        (r = case_pin(one.sink, one.id, false, e)) < 0)
        return r;
    return command_put(operand) == 0 ? 0 : err_set(e, -EIO, "cannot write to stdout");
}

static int run(int argc, char **argv)
{
    struct rm_options o = {0};
    const struct store_command command = {RM_OPTIONS, &o, &o.plan};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int count = case_operands_parse(&command, &(struct opt_argv){argc, argv}, &operands, &e), r = 0;

    if (count < 0)
        return command_fail(count, &e);
    if (!o.yes && !isatty(STDIN_FILENO))
        return command_error(-FAULT_USAGE, "rm: nobody can be asked here: give --yes");
    for (int i = 0; i < count && r == 0; i++)
        r = remove_one(&o, operands[i], &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_RM = {
    .name = "rm",
    .args = "URL...",
    .summary = "remove cases or objects from a store",
    .text =
        "URL is a case's folder, or one object as `salvage ls` shows it; without :// it is a key in the store of --to. "
        "Manifests go before their objects: what is left if it is broken off counts as not whole. Pinned cases go, "
        "too. "
        "Asks on a terminal; elsewhere it wants --yes.",
    .examples =
        "salvage rm s3://evidence/prod/shop/cart-0/20261121T015605Z-java-oom-0123456789abcdef\n"
        "    a whole case\n"
        "salvage rm --yes https://salvage.example/shop/cart-0/20261121T015605Z-java-oom-0123456789abcdef/core.zst\n"
        "    one object of it, through a salvage server, as far as its token may delete\n",
    .options = RM_OPTIONS,
    .run = run,
};
