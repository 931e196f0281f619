/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of a JVM that stand in no variable, command line or file that can still be read: put into its image
 * (jlink --add-options), or in a file that is gone by now (a pipe). The JVM's counters have them.
 */
#pragma once

#include "hotspot/jvm.h"

/* Adds to j->options what the counters say and j lacks; where a file of options could not be read the counters win.
 * Without counters j stays as it is. 0 or -ENOMEM. */
int startoptions_complete(struct jvm *j);
