/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage --version: one line; with --json also the linked libraries.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/opt.h"
#include "cmd/commands.h"
#include "cmd/components.h"

struct version_options {
    bool json;
};

static const struct opt VERSION_OPTIONS[] = {
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct version_options, json),
     "print JSON, with name, version and source package of each linked library"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* NULL if out of memory */
static json_t *components(void)
{
    json_t *list = json_array();

    for (const struct component *c = COMPONENTS; list && c->name; c++)
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", c->name, "version", c->version,
                                                  "source", c->source, "linked", c->linked)) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static int print_json(void)
{
    json_t *root =
        json_pack("{s:s, s:s, s:o}", "name", "salvage", "version", SALVAGE_VERSION, "components", components());
    int r = root ? 0 : -ENOMEM;

    if (root && (json_dumpf(root, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF))
        r = -EIO;
    json_decref(root);
    return r < 0 ? command_error(r, "--version: cannot write the list of components") : 0;
}

static int run(int argc, char **argv)
{
    CLEANUP_FREE char **operands = NULL;
    struct version_options options = {0};
    struct err e = {0};
    int r = opt_parse(VERSION_OPTIONS, &(struct opt_argv){argc, argv}, &options, &operands, &e);

    if (r > 0)
        r = err_set(&e, -FAULT_USAGE, "--version: unexpected argument '%s': only --json is allowed", operands[0]);
    if (r < 0)
        return command_fail(r, &e);
    if (options.json)
        return print_json();
    puts("salvage " SALVAGE_VERSION);
    return 0;
}

const struct command CMD_VERSION = {
    .name = "--version",
    .args = "[--json]",
    .summary = "print the version, and as JSON the linked libraries",
    .examples = "salvage --version --json\n    name, version and source package of each library\n",
    .options = VERSION_OPTIONS,
    .run = run,
};
