/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Names of files in the spool of cores, by which a watch makes one case of all that is of one crash:
 *
 *   core.PID-TIME,CAUSE,SIGNAL[,sensitive]
 *   crash-PID-TIME,CAUSE,SIGNAL[,sensitive].json
 *   hs_err_pidPID-TIME,CAUSE,SIGNAL[,sensitive].log
 *
 * TIME: milliseconds since 1970, 13 digits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SENSITIVE_PROGRAM "a program with more rights than its user (set-user-id, or fs.suid_dumpable)"

enum { CRASH_FILE_NAME_MAX = 160, CRASH_CAUSE_MAX = 32 };

enum crash_file { CRASH_FILE_CORE, CRASH_FILE_RECORD, CRASH_FILE_LOG, CRASH_FILE_END };

struct crash_name {
    uint64_t pid;                /* in its own pid namespace */
    int64_t time_ms;             /* since 1970 */
    char cause[CRASH_CAUSE_MAX]; /* "signal", "java-oom": lower-case letters, digits and '-' */
    int signal;
    bool sensitive;
};

/* "core.7-1764464295000,signal,11" */
void crash_name_print(const struct crash_name *n, enum crash_file which, char ret[CRASH_FILE_NAME_MAX]);

/* The name in the store: "core.7". */
void crash_name_plain(const struct crash_name *n, enum crash_file which, char ret[CRASH_FILE_NAME_MAX]);

/* False: the name is none of these; ret is then unchanged. */
bool crash_name_read(const char *name, struct crash_name *ret, enum crash_file *ret_which);
