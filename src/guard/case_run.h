/* SPDX-License-Identifier: Apache-2.0
 *
 * One case of a guard, in the process that was started for it: takes the evidence of the actions and ships it into one
 * folder of the store. A piece that can't be taken or shipped is reported in the log, and the others go on. Blocks on
 * the JVM, the process and the store.
 */
#pragma once

#include "base/opt.h"
#include "guard/action.h"
#include "guard/case_request.h"
#include "notify/notify_target.h"
#include "ship/plan.h"

/* All borrowed. */
struct case_config {
    const struct case_request *request;
    const struct actions *actions;
    const struct plan_options *plan;
    const char *dir;                     /* where a JVM writes its dump, as the JVM sees it; NULL: its own choice */
    const struct opt_list *pass_env;     /* variables of ours that a command of exec inherits */
    const struct notify_targets *notify; /* without targets: no notices */
    const char *public_url;
    bool given; /* by --pid: no other process of the cgroup is taken instead */
};

/* The exit code: 0, or that of the first piece that failed. */
int case_run(const struct case_config *config);
