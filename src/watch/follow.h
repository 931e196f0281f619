/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether heap dumps are shipped while they are being written (--follow). Following takes about one processor: if the
 * JVM has none to spare, its pause becomes longer.
 */
#pragma once

#include <stdbool.h>

#include "base/opt.h"

enum follow { FOLLOW_AUTO, FOLLOW_YES, FOLLOW_NO };

/* The row for a command's table; `o` is the type of its options. */
#define FOLLOW_ROW(o, field)                                                                                           \
    {                                                                                                                  \
        OPT_CHOICE, 0, "follow", "auto|yes|no", "auto", offsetof(o, field),                                            \
            "ship a large heap dump while it is still being written: most of it is in the store when the JVM has "     \
            "written its "                                                                                             \
            "end. auto: not where that would make the JVM's own dump slower: on one processor, with a CPU limit "      \
            "below half a "                                                                                            \
            "processor, or where the application shares a limit below two"                                             \
    }

/* processors: that we may run on. limit: of our cgroup, thousandths of a processor, 0: none. shared: the JVM is in our
 * cgroup. */
bool follow_affordable(unsigned processors, unsigned limit, bool shared);

/* The decision for this process. */
bool follow_wanted(enum follow choice, bool shared);
