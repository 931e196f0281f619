/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage core serve: takes the kernel's cores by a socket, while it runs.
 */
#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/core_options.h"
#include "node/core_home.h"
#include "node/core_kernel.h"
#include "node/core_pattern.h"
#include "node/core_server.h"

struct serve_options {
    const char *dir;
};

static const struct opt OPTIONS[] = {
    {OPT_STRING, 0, "dir", "DIR", CORE_HOME_DEFAULT, offsetof(struct serve_options, dir), "as of install"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* A socket's core can't be left to a program that the kernel would start. */
static int check(const struct core_config *c, const struct core_options *o, struct err *e)
{
    for (size_t i = 0; core_pattern_is_pipe(c->pattern) && i < o->count; i++) {
        const struct core_rules *rules = o->choice[i].rules;

        if (rules->chain || rules->only.count || rules->ignore.count || rules->namespaces.count)
            return err_set(
                e, -FAULT_USAGE,
                "core serve: cores go to the handler before us, too (--chain, --only, --ignore or --namespace of core "
                "install): that needs the pipe, which core install has set already");
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct serve_options o = {0};
    CLEANUP(core_options_done) struct core_options installed = {0};
    CLEANUP(core_config_done) struct core_config config = {0};
    CLEANUP_FREE char **operands = NULL;
    CLEANUP_FD int home = -1;
    struct err e = {0};
    struct core_server s = {.proc = core_kernel_root(), .config = &config};
    int r = opt_parse(OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r > 0)
        r = err_set(&e, -FAULT_USAGE, "core serve: '%s': there are only options", operands[0]);
    if (r < 0 || (r = home = core_home_open(o.dir, false, &e)) < 0)
        return command_fail(r, &e);
    if ((r = core_home_load(home, &config, &e)) < 0)
        return command_fail(err_prefix(&e, r, "core serve: run core install first: %s", o.dir), &e);
    if ((r = core_options_read(&config, &installed, &e)) < 0 || (r = check(&config, &installed, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)installed.choice->rules->plan.log);
    s.dir = o.dir;
    s.home = home;
    s.choices = installed.choice;
    s.choice_count = installed.count;
    r = core_server_run(&s, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_CORE_SERVE = {
    .name = "core serve",
    .args = "",
    .summary = "take cores by a socket instead of a program for each, while it runs",
    .text =
        "For Linux 6.16 and newer, after core install: core_pattern names a socket (from 6.17 on the kernel asks first "
        "whether the core is wanted), and one process accepts the cores, with the same rules and into the same "
        "store. It can be held in a cgroup with limits, and sees its children; the handler of a pipe is the "
        "kernel's. When it ends, also by kill -9, core_pattern names the installed handler again, so no core is "
        "missed between two of them. Must run in the host's mount namespace.",
    .examples = "salvage core install --to s3://evidence/prod && salvage core serve\n"
                "    until SIGTERM\n",
    .options = OPTIONS,
    .run = run,
};
