/* SPDX-License-Identifier: Apache-2.0
 *
 * A process that is a HotSpot JVM, as /proc shows it: the options it was started with, its version and command line.
 * Sends the JVM nothing; options that were changed at run time are not visible here (hotspot/attach.h).
 */
#pragma once

#include "base/err.h"
#include "base/strv.h"
#include "hotspot/jvmopts.h"
#include "linux/proc.h"

struct jvm {
    struct proc proc;
    struct proc_status status; /* at jvm_open */
    struct jvmopts options;    /* at its start, from all sources (hotspot/jvmlaunch.h) */
    bool options_unread;       /* an options file could not be read (a pipe, say): options may be incomplete */
    struct strv words;         /* the command line, with the launcher's @argfiles expanded */
    char *version;             /* "17.0.13+11 (Debian)", from the runtime's release file; NULL unknown */
    char *command;             /* one line, without secrets (hotspot/jvmcommand.h); NULL unknown */
    int64_t started_ns;        /* since 1970; 0 unknown */
};

#define JVM_NONE                                                                                                       \
    {                                                                                                                  \
        .proc = PROC_NONE, .options = JVMOPTS_NONE                                                                     \
    }

/* root is "/proc" except in tests. Options files that can't be read are skipped (options_unread). -ESRCH; -EACCES if we
 * may not inspect the process; -FAULT_FORMAT if it is not a HotSpot JVM; -ENOMEM. */
int jvm_open(const char *root, pid_t pid, struct jvm *ret, struct err *e);
void jvm_done(struct jvm *j);

/* 8, 17, 25 …: the JDK's feature release; 0 unknown. */
unsigned jvm_feature(const struct jvm *j);
