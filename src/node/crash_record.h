/* SPDX-License-Identifier: Apache-2.0
 *
 * The record of a crash as JSON, schema salvage.crash/1: what /proc said of the process while its core was dumped. The
 * names of its environment, not the values: those contain keys.
 */
#pragma once

#include "node/crash_facts.h"

enum { CRASH_RECORD_MAX = 8 * 1024 * 1024 };

/* While the process still exists. What can't be read is left out. 0, -ENOMEM, -EMSGSIZE. */
int crash_record(const struct crash *c, const struct crash_facts *f, struct buf *ret);
