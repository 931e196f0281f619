/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue below --state, else in a folder of its own that goes with the process.
 */
#include "guard/case_notices.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "notify/notifier.h"
#include "notify/queue.h"
#include "ship/case_facts.h"
#include "ship/case_notice.h"

void case_notices_stored(void *ctx, const struct manifest *m)
{
    struct case_notices *n = ctx;
    CLEANUP(notice_done) struct notice notice = {0};
    unsigned rank = case_rank(m->kind ? m->kind : "");

    assert(n->targets && n->plan);
    if (n->targets->count == 0 || (n->notice.id && rank <= n->rank))
        return;
    if (case_notice_of_stored(m, &n->plan->sink, n->public_url, &notice) < 0)
        return; /* an earlier piece's is as good */
    notice_done(&n->notice);
    n->notice = notice;
    n->rank = rank;
    notice = (struct notice){0};
}

static int open_state(const char *state)
{
    CLEANUP_FD int base = -1;
    int r = file_mkdirs(AT_FDCWD, state, 0700);

    if (r < 0 || (base = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return r < 0 ? r : -errno;
    return queue_open(base);
}

/* Until nothing waits, or the time is over. */
static void run(const struct case_notices *n, int folder)
{
    const struct notifier_config config = {.targets = n->targets, .http = {.ca_file = n->plan->sink.http.ca_file}};
    uint64_t until = clock_mono_ms() + CASE_NOTICES_MS, wait = 0;
    struct notifier *notifier;
    struct err e;

    if (notifier_new(&config, &notifier, &e) < 0) {
        case_notice_dropped(n->notice.id, e.msg);
        return;
    }
    notifier_hurry(notifier); /* guard has its own limits for cases */
    if (notifier_add_folder(notifier, fcntl(folder, F_DUPFD_CLOEXEC, 3)) == 0)
        while (wait != UINT64_MAX && clock_left_ms(until) > wait) {
            clock_sleep_ms(wait);
            wait = notifier_run(notifier);
        }
    notifier_free(notifier);
}

static void deliver_from(const struct case_notices *n, int folder)
{
    (void)case_notice_queue(&n->notice, n->targets, folder);
    run(n, folder);
}

static void deliver_once(const struct case_notices *n)
{
    const char *tmp = env_get("TMPDIR");
    char path[512];
    CLEANUP_FD int folder = -1;

    snprintf(path, sizeof(path), "%.400s/salvage-notices-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(path) || (folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        case_notice_dropped(n->notice.id, strerror(errno));
        return;
    }
    deliver_from(n, folder);
    if (!queue_is_empty(folder, n->targets))
        case_notice_dropped(n->notice.id, "without --state it is tried for a minute only");
    file_remove_tree(AT_FDCWD, path);
}

void case_notices_deliver(struct case_notices *n)
{
    CLEANUP_FD int folder = -1;

    assert(n && n->targets && n->plan);
    if (!n->notice.id)
        return;
    if (!n->state)
        deliver_once(n);
    else if ((folder = open_state(n->state)) < 0)
        case_notice_dropped(n->notice.id, strerror(-folder));
    else
        deliver_from(n, folder);
}

void case_notices_done(struct case_notices *n)
{
    notice_done(&n->notice);
}
