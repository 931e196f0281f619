/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage node: the agent of a machine with many pods.
 */
#include "node/node.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/core_options.h"
#include "cmd/guard.h"
#include "cmd/node_arm.h"
#include "cmd/node_pods.h"
#include "cmd/node_requests.h"
#include "cmd/watch.h"

struct node_options {
    const char *config, *check;
    uint64_t reread_ms;
    int log;
};

static const struct opt OPTIONS[] = {
    {OPT_HEADING, .name = "Node"},
    {OPT_STRING, 0, "config", "FILE", NULL, offsetof(struct node_options, config),
     "what to take and where to: see docs/node.md"},
    {OPT_STRING, 0, "check", "FILE", NULL, offsetof(struct node_options, check),
     "check this configuration, print what would be started, and exit: 0, or 2 with all errors and their lines"},
    {OPT_DURATION, 0, "reread", "DURATION", "2s", offsetof(struct node_options, reread_ms),
     "how often to look whether the configuration or credentials have changed"},
    {OPT_CHOICE, 0, "log", "text|json", "text", offsetof(struct node_options, log), "form of the log on stderr"},
    {OPT_EXCLUDES, .name = "config", .arg = "check"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int check_component(const struct component_spec *s, struct err *e)
{
    int argc = (int)s->args.count - 1;
    char **argv = s->args.item + 1;

    if (text_eq(argv[0], "core"))
        return text_eq(argv[1], "install") ? core_install_check(argc - 1, argv + 1, e) : 0;
    if (text_eq(argv[0], "node-pods"))
        return node_pods_check(argc, argv, e);
    if (text_eq(argv[0], "node-arm"))
        return node_arm_check(argc, argv, e);
    if (text_eq(argv[0], "node-requests"))
        return node_requests_check(argc, argv, e);
    return text_eq(argv[0], "watch") ? watch_check(argc, argv, e) : guard_check(argc, argv, e);
}

/* "node.yaml:12: unknown key …", a line for each. */
static int say_errors(const char *path, const struct config_errors *errors, int result)
{
    for (unsigned i = 0; i < errors->count && i < CONFIG_ERRORS_MAX; i++) {
        if (errors->item[i].line > 0)
            command_say("%s:%u: %s", path, errors->item[i].line, errors->item[i].text);
        else
            command_say("%s: %s", path, errors->item[i].text);
    }
    if (errors->count > CONFIG_ERRORS_MAX)
        command_say("%s: and %u more errors", path, errors->count - CONFIG_ERRORS_MAX);
    if (errors->count == 0)
        command_say("%s: %s", path, strerror(-result));
    return fault_find(result == -ENOMEM ? result : -FAULT_USAGE)->exit_code;
}

static int print_component(const struct component_spec *s)
{
    CLEANUP(buf_done) struct buf line = {0};

    if (buf_printf(&line, "%s:", s->name) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < s->args.count; i++) {
        const char *arg = s->args.item[i];
        const char *quote = strpbrk(arg, " \t*?[]!'\"$&;<>|()") ? "'" : "";

        if (buf_printf(&line, " %s%s%s", quote, arg, quote) < 0)
            return -ENOMEM;
    }
    return command_put(buf_text(&line));
}

static int print_components(const struct component_list *l)
{
    int r = 0;

    for (size_t i = 0; i < l->count && r == 0; i++)
        r = print_component(&l->item[i]);
    for (size_t i = 0; i < l->cores.sets && r == 0; i++)
        r = print_component(&l->cores.set[i]);
    return r < 0 ? command_error(r, "%s", strerror(-r)) : 0;
}

/* Beside the components: what a rule needs that the file can't show. */
static void say_label_rules(const struct strv *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        command_say("rule %s asks for labels or annotations: the agent's service account must be allowed to list and "
                    "watch pods (deploy/kustomize/node), else the rule is passed over",
                    rules->item[i]);
}

static int run(int argc, char **argv)
{
    struct node_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    CLEANUP(node_plan_done) struct node_plan plan = {0};
    struct node_config config = {.check = check_component};
    struct config_errors errors = {0};
    struct err e = {0};
    int r = opt_parse(OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r < 0)
        return command_fail(r, &e);
    if (r > 0 || (!o.config && !o.check))
        return command_error(-FAULT_USAGE, "node: which configuration? salvage node --config FILE (or --check FILE)");
    if (o.reread_ms == 0 || o.reread_ms > UINT32_MAX)
        return command_error(-FAULT_USAGE, "--reread: it must be more than 0");
    log_set_format((enum log_format)o.log);
    config.path = o.check ? o.check : o.config;
    config.log = (enum log_format)o.log;
    config.reread_ms = (unsigned)o.reread_ms;
    if ((r = node_read(&config, &plan, &errors)) < 0)
        return say_errors(config.path, &errors, r);
    if (o.check)
        say_label_rules(&plan.label_rules);
    if (o.check)
        return print_components(&plan.components);
    r = node_run(&config, &plan, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_NODE = {
    .name = "node",
    .args = "--config FILE",
    .summary = "watch and guard all pods of a machine, by rules for their namespaces",
    .text =
        "Starts watches and guards as the rules of a YAML file ask for, each a process of its own, and starts one "
        "again "
        "that dies. A namespace's evidence goes to the destination that the first fitting rule names, with that "
        "destination's own credentials. Each line of the log has the component that wrote it.\n\n"
        "The file is read again when it has changed, and on SIGHUP: only components whose command line has changed are "
        "ended and started anew. A file with errors is refused, and all runs on as before. After SIGTERM uploads go on "
        "for the grace that the file says; a second SIGTERM ends them.\n\n"
        "The configuration is described in docs/node.md.",
    .examples = "salvage node --config /etc/salvage/node.yaml\n"
                "    in a DaemonSet\n"
                "salvage node --check node.yaml\n"
                "    what it would start; or each error with its line\n",
    .options = OPTIONS,
    .run = run,
};
