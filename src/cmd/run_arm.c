/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage run-arm: what `run` starts to have its application's JVMs dump into the folder of the run. Ends when the
 * run's application has, which it sees by descriptor 3. Not for people: they have `jvm arm --follow`.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "linux/launch.h"
#include "ship/crashlog.h"
#include "watch/armfollow.h"
#include "watch/jvmends.h"

enum { EVERY_MS = 2000, TIMEOUT_MS = 30 * 1000 };

struct run_arm_options {
    const char *dir;
    uint64_t group;
    bool armed;
    int log;
};

static const struct opt RUN_ARM_OPTIONS[] = {
    {OPT_STRING, 0, "dir", "DIR", NULL, offsetof(struct run_arm_options, dir), "where to dump"},
    {OPT_UINT, 0, "group", "PID", NULL, offsetof(struct run_arm_options, group), "the application's process group"},
    {OPT_FLAG, 0, "armed", NULL, NULL, offsetof(struct run_arm_options, armed), "JVMs know already where to dump"},
    {OPT_CHOICE, 0, "log", "text|json", "text", offsetof(struct run_arm_options, log), "form of the log"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int run(int argc, char **argv)
{
    struct run_arm_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct armplace_folder *folder = NULL;
    CLEANUP(crashlogs_done) struct crashlogs logs = {0};
    struct armfollow_config config = {.every_ms = EVERY_MS,
                                      .timeout_ms = TIMEOUT_MS,
                                      .stop_fd = LAUNCH_CHANNEL,
                                      .obey = true,
                                      .quick = true,
                                      .below = getppid(),
                                      .crashlogs = &logs};
    struct armplace *place = &config.request.place;
    struct err e = {0};
    int r = opt_parse(RUN_ARM_OPTIONS, argc, argv, &o, &operands, &e);

    if (r == 0 && (!o.dir || o.group == 0 || o.group > INT_MAX))
        r = err_set(&e, -FAULT_USAGE, "run-arm: run starts it");
    if (r < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.log);
    /* A terminal's or a runtime's signals are the supervisor's to act on. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    if ((r = armplace_folder_new(o.dir, &folder, &e)) == 0) {
        config.group = (pid_t)o.group;
        config.ask_nothing = o.armed;
        logs.to = o.dir;
        place->folders = &folder;
        place->folder_count = 1;
        config.ends = jvmends_new();
        r = armfollow_run(&config, &e);
        jvmends_free(config.ends);
        armplace_folder_free(folder);
    }
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_RUN_ARM = {
    .name = "run-arm",
    .args = "",
    .summary = "has the JVMs of a run's application dump when memory runs out",
    .options = RUN_ARM_OPTIONS,
    .hidden = true,
    .run = run,
};
