/* SPDX-License-Identifier: Apache-2.0
 *
 * What a JVM that is out of memory and goes on is asked for, when it left no heap dump or a cut one: a whole dump, into
 * a folder with room, else straight into the store; where neither can be, threads and histogram. In the hook's child
 * (cmd/ship_oom.h), for the JVM answers nobody before the hook has returned.
 */
#pragma once

#include "cmd/oom_ship.h"

/* Asks. Returns the exit code. */
int oom_ask(struct oom *o);
