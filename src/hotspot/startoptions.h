/* SPDX-License-Identifier: Apache-2.0
 *
 * Start options of a JVM that are in no variable, command line or readable file: in its image (jlink --add-options), or
 * in a file that is gone (a pipe). The JVM's counters have them.
 */
#pragma once

#include "hotspot/jvm.h"

/* Adds options from the counters that j->options lacks; if an options file could not be read (options_unread), the
 * counters win. Without counters j is unchanged. 0 or -ENOMEM. */
int startoptions_complete(struct jvm *j);
