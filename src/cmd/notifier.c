/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage notifier, guard-notifier: what a watch, or a guard, starts to deliver its notices, with its own options. Gets
 * folders by descriptor 3 (ship/wire.h), and ends when the loop does, after it has delivered what has come. Not for
 * people.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/guard.h"
#include "cmd/watch.h"
#include "notify/notifier.h"
#include "ship/wire.h"

/* Takes the folder that has come. False at the channel's end. */
static bool take_message(struct notifier *n)
{
    CLEANUP(wire_done) struct wire w = {.fd = {-1, -1}};

    if (wire_receive(WORKER_CHANNEL, &w) <= 0)
        return false;
    if (w.type == WIRE_NOTICES && w.fd[0] >= 0 && notifier_add_folder(n, TAKE_FD(w.fd[0])) < 0)
        log_event(EVENT_NOTICE_WAITS,
                  LOG_STR("error", "too many folders have notices: those of this one wait for the next start"));
    return true;
}

static void deliver_until_the_end(struct notifier *n)
{
    uint64_t wait = UINT64_MAX;
    bool goes_on = true;

    while (goes_on) {
        struct pollfd p = {.fd = WORKER_CHANNEL, .events = POLLIN};

        if (poll(&p, 1, wait == UINT64_MAX ? -1 : wait > INT_MAX ? INT_MAX : (int)wait) > 0)
            goes_on = take_message(n);
        if (!goes_on)
            notifier_hurry(n);
        wait = notifier_run(n);
    }
}

/* The options that both have. */
struct settings {
    const struct notify_options *notify;
    const char *ca_file;
    int log;
};

static int deliver_all(const struct settings *s, struct err *e)
{
    CLEANUP(notify_targets_done) struct notify_targets targets = {0};
    CLEANUP_FREE char *ca_file = s->ca_file ? strdup(s->ca_file) : NULL;
    struct notifier_config config = {.targets = &targets, .http.ca_file = ca_file, .every_ms = s->notify->every_ms};
    struct notifier *notifier;
    int r = notify_options_read(s->notify, &targets, e);

    if (r < 0)
        return r;
    log_set_format((enum log_format)s->log);
    /* A terminal's or a runtime's signals are the loop's to act on. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    if ((r = notifier_new(&config, &notifier, e)) < 0)
        return r;
    deliver_until_the_end(notifier);
    notifier_free(notifier);
    return 0;
}

static int run(int argc, char **argv)
{
    struct watch_options o = {0};
    CLEANUP_FREE char **dirs = NULL;
    struct err e = {0};
    int r = watch_parse(argc, argv, &o, &dirs, &e);

    if (r >= 0)
        r = deliver_all(&(struct settings){&o.notify, o.plan.ca_file, o.plan.log}, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

static int run_for_guard(int argc, char **argv)
{
    struct guard_options o = {0};
    struct err e = {0};
    int r = guard_parse(argc, argv, &o, &e);

    if (r >= 0)
        r = deliver_all(&(struct settings){&o.notify, o.plan.ca_file, o.plan.log}, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_NOTIFIER = {
    .name = "notifier",
    .args = "",
    .summary = "delivers notices for watch",
    .hidden = true,
    .run = run,
};

const struct command CMD_GUARD_NOTIFIER = {
    .name = "guard-notifier",
    .args = "",
    .summary = "delivers notices for guard",
    .hidden = true,
    .run = run_for_guard,
};
