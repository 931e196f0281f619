/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage core install and uninstall: the kernel gives the cores of all processes of this machine to us.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/core_options.h"
#include "node/core_home.h"
#include "node/core_install.h"
#include "node/core_pattern.h"
#include "ship/plancheck.h"

extern char **environ;

const struct opt CORE_INSTALL_OPTIONS[] = {
    {OPT_STRING, 0, "dir", "DIR", CORE_HOME_DEFAULT, offsetof(struct core_install_options, dir),
     "where the copy of this program, its configuration and its log go: a folder of the host, under the same path "
     "here"},
    CORE_RULES_OPTIONS(struct core_install_options, rules),
    PLAN_OPTIONS_STORE(struct core_install_options, rules.plan),
    PLAN_OPTIONS_SHIP(struct core_install_options, rules.plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int check(const struct core_install_options *o, struct err *e)
{
    CLEANUP(plan_done) struct plan plan = {0};
    struct rate rate;
    int r;

    if (geteuid() != 0)
        return err_set(e, -EPERM, "core install: only root may change kernel.core_pattern");
    if ((r = core_rules_check(&o->rules, &rate, e)) < 0 || (r = plan_init(&plan, &o->rules.plan, e)) < 0)
        return r;
    return plancheck(&plan, o->rules.plan.state, NULL, e);
}

int core_install_check(int argc, char **argv, struct err *e)
{
    struct core_install_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct rate rate;
    int r = opt_parse(CORE_INSTALL_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, e);

    if (r > 0)
        return err_set(e, -FAULT_USAGE, "core install: '%s': there are only options", operands[0]);
    return r < 0 ? r : core_rules_check(&o.rules, &rate, e);
}

static int install(int argc, char **argv)
{
    struct core_install_options o = {0};
    CLEANUP(core_config_done) struct core_config config = {0};
    struct core_set *set;
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(CORE_INSTALL_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r > 0)
        r = err_set(&e, -FAULT_USAGE, "core install: '%s': there are only options", operands[0]);
    if (r < 0 || (r = check(&o, &e)) < 0)
        return command_fail(r, &e);
    set = core_config_add(&config);
    if (opt_arguments(CORE_INSTALL_OPTIONS, &o, &set->arguments) < 0 || core_install_environment(environ, set) < 0)
        return command_error(-ENOMEM, "out of memory");
    r = core_install(&(struct core_installation){core_kernel_root(), o.dir}, &config, &e);
    if (r < 0)
        return command_fail(r, &e);
    command_say("core_pattern is %s; it was '%s'", config.ours, config.pattern);
    return 0;
}

const struct command CMD_CORE_INSTALL = {
    .name = "core install",
    .args = "--to URL",
    .summary = "take the cores of all processes of this machine",
    .text =
        "Sets kernel.core_pattern, so that the kernel gives each core to a copy of this program, which sends it "
        "straight "
        "into the store: through no disk. Run as root on the host, or in a privileged container with DIR mounted from "
        "the host under the same path. The settings that were there are kept and put back by uninstall. Run again, it "
        "is an upgrade: cores that are being taken end with the old copy.\n\n"
        "With each core goes crash.json, a record of the process: signal, command line, names of its environment, "
        "limits, mappings, open files; and a JVM's crash log. The container and pod are found by the process's cgroup "
        "and environment. What the options don't say comes from the environment of this command, which is kept for the "
        "handler: AWS_…, OBS_…, AZURE_…, SALVAGE_…, proxies. The configuration is readable for root only.\n\n"
        "Cores of set-user-id programs (only with fs.suid_dumpable 2) are marked as sensitive. A crash loop takes no "
        "more than --rate; other containers have theirs.",
    .examples = "salvage core install --to s3://evidence/prod --spool /var/lib/salvage/spool\n"
                "    all cores, on the disk while the store is away\n"
                "salvage core install --to s3://evidence/prod --only 'cgroup=*kubepods*'\n"
                "    those of pods; others go to the handler that was there\n"
                "salvage core status\n"
                "    what is set, and the last cores\n",
    .options = CORE_INSTALL_OPTIONS,
    .run = install,
};

struct dir_options {
    const char *dir;
};

static const struct opt UNINSTALL_OPTIONS[] = {
    {OPT_STRING, 0, "dir", "DIR", NULL, offsetof(struct dir_options, dir),
     "as of install; default: the folder that core_pattern names, else " CORE_HOME_DEFAULT},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* The folder of the handler that is installed. */
static const char *find_dir(char found[CORE_PATTERN_MAX])
{
    struct core_kernel now;
    struct err e;

    return core_kernel_read(core_kernel_root(), &now, &e) == 0 && core_pattern_home(now.pattern, found)
               ? found
               : CORE_HOME_DEFAULT;
}

static int uninstall(int argc, char **argv)
{
    struct dir_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    char found[CORE_PATTERN_MAX];
    struct err e = {0};
    int r = opt_parse(UNINSTALL_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r > 0)
        r = err_set(&e, -FAULT_USAGE, "core uninstall: '%s': there are only options", operands[0]);
    if (!o.dir)
        o.dir = find_dir(found);
    if (r < 0 || (r = core_uninstall(&(struct core_installation){core_kernel_root(), o.dir}, &e)) < 0)
        return command_fail(r, &e);
    if (r == CORE_NOT_OURS)
        command_say("core_pattern is not ours any more: it was left as it is");
    if (r == CORE_NOT_INSTALLED)
        command_say("%s: no handler is installed there", o.dir);
    return 0;
}

const struct command CMD_CORE_UNINSTALL = {
    .name = "core uninstall",
    .args = "",
    .summary = "put core_pattern back as it was before core install",
    .text = "Changes core_pattern and core_pipe_limit only if core_pattern is still the one that core install has set. "
            "Cores that are being taken end as they would have. What waits in the spool stays there. Also takes back "
            "what `node` has installed, which installs it again at its next start.",
    .examples = "salvage core uninstall\n"
                "    the kernel does with cores what it did before\n",
    .options = UNINSTALL_OPTIONS,
    .run = uninstall,
};
