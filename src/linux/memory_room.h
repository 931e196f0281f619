/* SPDX-License-Identifier: Apache-2.0
 *
 * How much more memory this process may take.
 */
#pragma once

#include <stdint.h>

/* What the machine has, or what our cgroups leave, the less of both; bytes. */
uint64_t memory_room(void);

/* The same of what the machine has left (MemAvailable): what can be taken now without harm to others. */
uint64_t memory_spare(void);
