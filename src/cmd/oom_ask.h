/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence of a JVM that ran out of memory, goes on, and left no heap dump or an incomplete one: a complete dump
 * into a folder with room, else directly into the store; if neither is possible, threads and histogram. Runs in the
 * hook's child (cmd/ship_oom.h), because the JVM does not answer before the hook has returned.
 */
#pragma once

#include "cmd/oom_ship.h"

/* Returns the exit code. */
int oom_ask(struct oom *o);
