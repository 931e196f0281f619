/* SPDX-License-Identifier: Apache-2.0
 *
 * What `node` asks of its component for pods.
 */
#pragma once

#include "base/err.h"

/* Whether the command would accept this command line. */
int node_pods_check(int argc, char **argv, struct err *e);
