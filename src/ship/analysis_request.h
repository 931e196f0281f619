/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol: the process that wants a dump analysed to the one that does it (`salvage inspect-child`, in its sandbox),
 * as its command line: options of `inspect`, then a name for each dump. Dump i is descriptor SANDBOXED_FIRST + i,
 * readable from its beginning. The answer is what `inspect` prints; with both --json and --page the JSON, a NUL, and
 * the page.
 */
#pragma once

#include "linux/sandboxed_process.h"

#define ANALYSIS_COMMAND "inspect-child"

enum { ANALYSIS_DUMPS_MAX = 2 };

/* How long it may take: more for a larger dump. Bytes of all dumps together. */
uint64_t analysis_deadline_ms(uint64_t bytes);
