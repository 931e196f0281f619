/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder is sent to the process by descriptor, as a watch sends folders to its notifier.
 */
#include "guard/guard_notifier.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/events.h"
#include "base/file.h"
#include "base/mem.h"
#include "notify/queue.h"
#include "ship/wire.h"

enum { FINISH_MS = 5000, STEP_MS = 10 };

static int the_folder = -1;

int guard_notifier_folder(void)
{
    return the_folder;
}

static int open_state(const char *state)
{
    CLEANUP_FD int base = -1;
    int r = file_mkdirs(AT_FDCWD, state, 0700);

    if (r < 0 || (base = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return r < 0 ? r : -errno;
    return queue_open(base);
}

static int open_temporary(char **ret)
{
    const char *tmp = env_get("TMPDIR");
    CLEANUP_FREE char *path = NULL;
    int fd;

    if (asprintf(&path, "%s/salvage-notices-XXXXXX", tmp ? tmp : "/tmp") < 0) {
        path = NULL;
        return -ENOMEM;
    }
    if (!mkdtemp(path) || (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -errno;
    *ret = TAKE_PTR(path);
    return fd;
}

int guard_notifier_start(struct guard_notifier *n, char *const *args, const char *state, struct err *e)
{
    int r;

    assert(n && args && n->folder < 0);
    if ((r = state ? open_state(state) : open_temporary(&n->temporary)) < 0)
        return err_set(e, r, "no folder for notices (%s): %s", state ? "--state" : "TMPDIR", strerror(-r));
    the_folder = n->folder = r;
    if ((r = attach_supervisor_start(&n->process, args, NULL)) < 0)
        return err_set(e, r, "out of memory");
    n->process.died = EVENT_NOTIFIER_DIED;
    guard_notifier_poke(n); /* what an earlier guard left */
    return 0;
}

void guard_notifier_poke(struct guard_notifier *n)
{
    struct wire message = {.type = WIRE_NOTICES, .fd = {n->folder, -1}};

    /* If its channel is full, it has messages enough to wake up. */
    if (n->folder >= 0 && n->process.channel >= 0 &&
        (wire_send(n->process.channel, &message) == 0 || n->knows == n->process.pid))
        n->knows = n->process.pid;
}

bool guard_notifier_reap(struct guard_notifier *n, pid_t child, int status)
{
    return attach_supervisor_reap(&n->process, child, status);
}

void guard_notifier_on_time(struct guard_notifier *n, uint64_t now_ms)
{
    attach_supervisor_on_time(&n->process, now_ms);
    if (n->process.pid && n->knows != n->process.pid)
        guard_notifier_poke(n);
}

void guard_notifier_finish(struct guard_notifier *n)
{
    uint64_t until = clock_mono_ms() + FINISH_MS;
    int status;

    if (!n->process.pid)
        return;
    attach_supervisor_end(&n->process);
    while (n->process.pid) {
        if (waitpid(n->process.pid, &status, WNOHANG) == n->process.pid) {
            attach_supervisor_reap(&n->process, n->process.pid, status);
        } else if (clock_left_ms(until) == 0) {
            attach_supervisor_on_time(&n->process, UINT64_MAX);
            until = UINT64_MAX;
        } else {
            clock_sleep_ms(STEP_MS);
        }
    }
}

void guard_notifier_done(struct guard_notifier *n)
{
    attach_supervisor_done(&n->process);
    mem_close_ptr(&n->folder);
    if (n->temporary)
        file_remove_tree(AT_FDCWD, n->temporary);
    free(n->temporary);
    *n = (struct guard_notifier)GUARD_NOTIFIER_NONE;
    the_folder = -1;
}
