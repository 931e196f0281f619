/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage node-arm, which `node` starts: whether its command line would be accepted.
 */
#pragma once

#include "base/err.h"

/* argv[0] is "node-arm". 0 or -FAULT_USAGE. */
int node_arm_check(int argc, char **argv, struct err *e);
