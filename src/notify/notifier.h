/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivers what waits in folders of notices (queue.h): retries, and in a crash loop one notice with the count of the
 * others instead of each. Blocking: a thread of serve runs it, or a process of its own below watch and guard.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http.h"
#include "notify/notify_target.h"

struct notifier;

struct notifier_config {
    const struct notify_targets *targets; /* borrowed */
    struct http_options http;
    uint64_t every_ms;   /* notices of like cases to one target are at least so far apart */
    uint64_t give_up_ms; /* a notice that could not be delivered for this long is dropped */
    bool keep_folders;   /* an empty folder stays open; else it is closed, so that its volume can be unmounted */
};

enum { NOTIFIER_FOLDERS_MAX = 256, NOTIFY_EVERY_MS = 10 * 60 * 1000, NOTIFY_GIVE_UP_MS = 24 * 3600 * 1000 };

int notifier_new(const struct notifier_config *config, struct notifier **ret, struct err *e);
void notifier_free(struct notifier *n);

/* One more folder, unless it is known already; fd is taken. -E2BIG beyond NOTIFIER_FOLDERS_MAX, -errno. */
int notifier_add_folder(struct notifier *n, int fd);

/* Delivers all that is due. Returns how long nothing will be due unless something is added; UINT64_MAX: nothing
 * waits. */
uint64_t notifier_run(struct notifier *n);

/* From now on notices of like cases do not wait for each other: for the end of a process whose folder may go with it.
 */
void notifier_hurry(struct notifier *n);
