/* SPDX-License-Identifier: Apache-2.0
 *
 * One OutOfMemoryError of one JVM, for the hook (cmd/ship_oom.h) and its child (cmd/oom_ask.h): what is said of it, and
 * the dump that lies there shipped.
 */
#pragma once

#include "ship/oomdump.h"
#include "ship/shipping.h"

/* One out of memory. */
struct oom {
    struct shipping *shipping;
    struct jvm jvm;
    struct jvmopts options; /* borrowed from jvm, or what it said of itself */
    uint64_t until_ms;      /* monotonic: end of patience */
    struct pause pause;     /* that the JVM made for a dump that it was asked for */
    bool cut;               /* the dump that the JVM has made is not whole */
    uint64_t rate;          /* bytes of it a second that went into the store; 0 unknown */
};

/* The JVM's own number. */
int oom_pid(const struct oom *o);

/* A line on stdout, which is the JVM's and the task's log. */
void oom_print(const struct oom *o, const char *text);

/* Ships a file and erases it as the plan says. Returns the exit code; *ret_cut (may be NULL): it is not a whole dump.
 */
int oom_ship(struct oom *o, const char *path, bool of_this_process, bool *ret_cut);

/* An older dump under the same name would be in the way of the next one, too, and nothing else ships it. */
void oom_ship_leftover(struct oom *o, const struct oomdump *d);

/* 1 if there is nothing left to do here (*ret_exit_code), 0 if there is no dump. */
int oom_ship_what_is_here(struct oom *o, struct oomdump *d, int *ret_exit_code);
