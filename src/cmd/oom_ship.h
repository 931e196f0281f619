/* SPDX-License-Identifier: Apache-2.0
 *
 * One OutOfMemoryError of one JVM, for the hook (cmd/ship_oom.h) and its child (cmd/oom_ask.h): prints messages, and
 * ships the dump that exists.
 */
#pragma once

#include "ship/oomdump.h"
#include "ship/shipping.h"

/* One OutOfMemoryError. */
struct oom {
    struct shipping *shipping;
    struct jvm jvm;
    struct jvmopts options; /* borrowed from jvm, or the JVM's answer */
    uint64_t until_ms;      /* deadline, monotonic */
    struct pause pause;     /* of the JVM, for a dump that it was asked for */
    bool cut;               /* the dump that the JVM has made is incomplete */
    uint64_t rate;          /* bytes of the dump that went into the store per second; 0 unknown */
};

/* The JVM's pid in its own namespace. */
int oom_pid(const struct oom *o);

/* Prints a line on stdout, which is the log of the JVM and of the task. */
void oom_print(const struct oom *o, const char *text);

/* Ships a file, and erases it if the plan says so. Returns the exit code; *ret_cut (may be NULL): the dump is
 * incomplete. */
int oom_ship(struct oom *o, const char *path, bool of_this_process, bool *ret_cut);

/* Ships an older dump under the same name: it would block the next one, too, and nothing else ships it. */
void oom_ship_leftover(struct oom *o, const struct oomdump *d);

/* 1 if nothing is left to do (*ret_exit_code), 0 if there is no dump. */
int oom_ship_what_is_here(struct oom *o, struct oomdump *d, int *ret_exit_code);
