/* SPDX-License-Identifier: Apache-2.0
 *
 * This process's effective capabilities (capabilities(7)).
 */
#pragma once

#include <stdbool.h>

/* number: CAP_… of linux/capability.h. */
bool capability_has(unsigned number);
