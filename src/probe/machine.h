/* SPDX-License-Identifier: Apache-2.0
 *
 * What this machine, or this container, lets us see and do: for guard, core, oom and jvm. Changes nothing.
 */
#pragma once

#include "probe/finding.h"

/* For finding_group: ctx is not used. */
void probe_machine(const struct findings *f, const void *ctx);
