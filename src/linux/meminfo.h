/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/meminfo.
 */
#pragma once

#include <stdint.h>

enum { MEMINFO_TEXT_MAX = 64 * 1024 };

/* A row of its text: "MemTotal", "MemAvailable". 0; -EINVAL: it is not there, or is no number. */
int meminfo_bytes(const char *text, const char *name, uint64_t *ret);
