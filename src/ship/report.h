/* SPDX-License-Identifier: Apache-2.0
 *
 * The log line of evidence that has reached the store.
 */
#pragma once

#include <stdbool.h>

#include "ship/manifest.h"
#include "ship/plan.h"

/* already: an earlier run had stored it. seconds: that this run took. */
void report_shipped(const struct plan *plan, const struct manifest *m, bool already, double seconds);
