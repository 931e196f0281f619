/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage run-arm: what `run` starts to have its application's JVMs dump into the folder of the run. Ends when the
 * run's application has, which it sees by descriptor 3. Not for people: they have `jvm arm --follow`.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "arm/armfollow.h"
#include "arm/jvmends.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "linux/launch.h"
#include "run/arm_protocol.h"
#include "ship/crashlog.h"

enum { EVERY_MS = 2000, TIMEOUT_MS = 30 * 1000 };

static int run(int argc, char **argv)
{
    struct run_arm_request request;
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
    int r = run_arm_decode(argc, argv, &request, &e);

    if (r < 0)
        return command_fail(r, &e);
    log_set_format(request.log);
    /* A terminal's or a runtime's signals are the supervisor's to act on. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    if ((r = armplace_folder_new(request.dir, &folder, &e)) == 0) {
        config.group = request.group;
        config.ask_nothing = request.armed;
        logs.to = request.dir;
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
    .hidden = true,
    .run = run,
};
