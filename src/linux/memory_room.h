/* SPDX-License-Identifier: Apache-2.0
 *
 * How much more memory this process may take: what the machine has, or what its cgroups leave, the less of both.
 */
#pragma once

#include <stdint.h>

uint64_t memory_room(void); /* bytes */
