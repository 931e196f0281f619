/* SPDX-License-Identifier: Apache-2.0
 *
 * Ships the record of one kill, in the process that was started for it. Blocks on the store.
 */
#pragma once

#include "guard/record_request.h"
#include "ship/plan.h"

#define RECORD_NAME "oom-kill.json"

int record_ship(const struct record_request *request, const struct plan_options *options, struct err *e);
