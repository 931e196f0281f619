/* SPDX-License-Identifier: Apache-2.0
 *
 * A process that is a HotSpot JVM, seen from outside without asking it anything: its options at its start, who
 * made it, and whether it can be asked (hotspot/attach.h). What was changed at run time is not seen here.
 */
#pragma once

#include "base/err.h"
#include "base/strv.h"
#include "hotspot/jvmopts.h"
#include "linux/proc.h"

struct jvm {
    struct proc proc;
    struct proc_status status; /* at jvm_open */
    struct jvmopts options;    /* as it was started, from all places (hotspot/jvmlaunch.h) */
    bool options_unread;       /* a file of options could not be read (a pipe, gone by now): options may lack some */
    struct strv words;         /* the command line; of the launcher's words, @argfiles are expanded */
    char *version;             /* "17.0.13+11 (Debian)", from the runtime's release file; NULL unknown */
    char *command;             /* one line, without secrets (hotspot/jvmcommand.h); NULL unknown */
    int64_t started_ns;        /* since 1970; 0 unknown */
};

#define JVM_NONE                                                                                                       \
    {                                                                                                                  \
        .proc = PROC_NONE, .options = JVMOPTS_NONE                                                                     \
    }

/* root is "/proc" but in tests. Files of options that can't be read are passed over. -ESRCH; -EACCES if it is another
 * user's and we may not look; -FAULT_FORMAT if it is no HotSpot JVM; -ENOMEM. */
int jvm_open(const char *root, pid_t pid, struct jvm *ret, struct err *e);
void jvm_done(struct jvm *j);

/* 8, 17, 25 …: the JDK's feature release; 0 unknown. */
unsigned jvm_feature(const struct jvm *j);
