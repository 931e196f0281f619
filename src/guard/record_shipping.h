/* SPDX-License-Identifier: Apache-2.0
 *
 * Ships the record of one kill, in the process that was started for it. Blocks on the store.
 */
#pragma once

#include "guard/record_request.h"
#include "notify/notify_target.h"
#include "ship/plan.h"

#define RECORD_NAME "oom-kill.json"

/* All borrowed. */
struct record_shipping {
    const struct plan_options *options;
    const struct notify_targets *notify; /* without targets: no notices */
    const char *public_url;
};

int record_ship(const struct record_request *request, const struct record_shipping *how, struct err *e);
