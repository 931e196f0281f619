/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage armer: what `watch --arm` starts to have JVMs dump into its folders. Ends when the watch does, which it sees
 * by descriptor 3. Not for people: they have `jvm arm --follow`.
 */
#include <errno.h>
#include <signal.h>

#include "arm/armfollow.h"
#include "arm/jvmends.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/watch.h"
#include "ship/wire.h"

enum { EVERY_MS = 2000, TIMEOUT_MS = 30 * 1000 };

static int run(int argc, char **argv)
{
    struct watch_options o = {0};
    CLEANUP_FREE char **dirs = NULL;
    CLEANUP_FREE struct armplace_folder **folders = NULL;
    struct armfollow_config config = {.every_ms = EVERY_MS, .timeout_ms = TIMEOUT_MS, .stop_fd = WORKER_CHANNEL};
    struct armplace *place = &config.request.place;
    struct err e = {0};
    int r = watch_parse(argc, argv, &o, &dirs, &e);

    if (r < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    /* A terminal's or a runtime's signals are the watch's to act on. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    if (!(folders = calloc((size_t)r + 1, sizeof(struct armplace_folder *))))
        return command_error(-ENOMEM, "out of memory");
    place->dir = o.arm_dir;
    place->folders = folders;
    place->below = o.recursive;
    for (; dirs[place->folder_count]; place->folder_count++)
        if ((r = armplace_folder_new(dirs[place->folder_count], &folders[place->folder_count], &e)) < 0)
            break;
    if (!dirs[place->folder_count]) {
        config.ends = jvmends_new();
        r = armfollow_run(&config, &e);
        jvmends_free(config.ends);
    }
    while (place->folder_count > 0)
        armplace_folder_free(folders[--place->folder_count]);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_ARMER = {
    .name = "armer",
    .args = "",
    .summary = "arms JVMs for watch",
    .hidden = true,
    .run = run,
};
