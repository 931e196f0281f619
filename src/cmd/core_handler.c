/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage core-handler: started by the kernel for a process that dumps core (node/handler_protocol.h). Not for users.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/core_options.h"
#include "node/core_handler.h"
#include "node/core_home.h"
#include "node/handler_protocol.h"

enum { PATH_SIZE = 4096 };

/* The folder of this program. */
static int open_home(struct err *e)
{
    char path[PATH_SIZE];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (n < 0)
        return err_set(e, -errno, "/proc/self/exe: %s", strerror(errno));
    path[n] = '\0';
    if ((slash = strrchr(path, '/')))
        *slash = '\0';
    return core_home_open(path, false, e);
}

/* The kernel opens nothing but stdin: what we open next must not become stdout or stderr by chance. */
static void fill_outputs(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd < STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void log_to(int home)
{
    CLEANUP_FD int log = core_home_log(home);

    if (log >= 0)
        dup2(log, STDERR_FILENO);
}

/* stdin becomes /dev/null: the kernel waits until every descriptor of its pipe is closed. */
static int take_stdin(struct err *e)
{
    CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CLEANUP_FD int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 2);

    if (null < 0 || fd < 0 || dup2(null, STDIN_FILENO) < 0)
        return err_set(e, -errno, "stdin: %s", strerror(errno));
    return TAKE_FD(fd);
}

static int run(int argc, char **argv)
{
    CLEANUP(core_config_done) struct core_config config = {0};
    CLEANUP(core_options_done) struct core_options o = {0};
    struct crash crash = {0};
    struct err e = {0};
    CLEANUP_FD int home = -1, in = -1;
    struct core_offer offer = {.config = &config, .crash = &crash, .is_own = true};
    int r;

    fill_outputs();
    if ((r = handler_parse(argc, argv, &crash, &e)) >= 0 && (r = home = open_home(&e)) >= 0) {
        log_to(home);
        log_set_format(LOG_TEXT);
        if ((r = core_home_load(home, &config, &e)) >= 0 && (r = core_options_read(&config, &o, &e)) >= 0)
            r = in = take_stdin(&e);
        if (r < 0)
            log_event(EVENT_CORE_LOST, LOG_UINT("pid", (uint64_t)crash.pid), LOG_STR("fault", fault_find(r)->name),
                      LOG_STR("error", e.msg));
    }
    if (r < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.choice->rules->plan.log);
    offer.choices = o.choice;
    offer.choice_count = o.count;
    offer.home = home;
    offer.in = TAKE_FD(in);
    r = core_handle(&offer, &e);
    return r < 0 ? fault_find(r)->exit_code : 0;
}

const struct command CMD_CORE_HANDLER = {
    .name = HANDLER_COMMAND,
    .args = "",
    .summary = "takes a core that the kernel dumps",
    .hidden = true,
    .run = run,
};
