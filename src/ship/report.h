/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs that evidence has been stored.
 */
#pragma once

#include <stdbool.h>

#include "ship/manifest.h"
#include "ship/plan.h"

/* already: an earlier run had stored it. seconds: duration of this run. */
void report_shipped(const struct plan *plan, const struct manifest *m, bool already, double seconds);
