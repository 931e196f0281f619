/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts about a JVM without attaching to it: from its counters, or from /proc if it has none. A JVM that is not
 * HotSpot, or has unusable counters, gets what is known and a note.
 *
 * Texts are foreign: they are made printable here (control characters become '?') and cut at 8 KiB.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "hotspot/jvmheap.h"
#include "place/containerid.h"
#include "place/whoami.h"

struct jvm_info {
    pid_t pid, inner_pid; /* in our pid namespace; in its own */
    uid_t uid;            /* effective */
    int64_t started_ns;   /* since 1970; 0 unknown */
    char *main_class;     /* as jps -l: class, path of a jar, module/class; NULL unknown, as all of these */
    char *arguments;      /* the application's, as jps -m */
    char *jvm_arguments;  /* as jps -v */
    char *jvm_flags;      /* from a flags file, as jps -V */
    char *version;        /* the Java runtime's: "17.0.13", "1.8.0_402" */
    char *vm_version;     /* "17.0.13+11-LTS", "25.402-b06" */
    char *vm_name;        /* "OpenJDK 64-Bit Server VM" */
    struct jvmheap heap;
    char container[CONTAINERID_MAX]; /* "" for none */
    char *pod, *namespace, *host;
    char *note; /* why some facts are missing; NULL */
};

/* root is "/proc" except in tests. -FAULT_FORMAT if it is not a JVM; -ESRCH; -EACCES; -ENOMEM. */
int jvm_info_read(const char *root, pid_t pid, struct jvm_info *ret, struct err *e);
void jvm_info_done(struct jvm_info *a);

/* The short name of main_class, as jps without -l; "Unknown" if there is none. Borrowed. */
const char *jvm_info_short_name(const struct jvm_info *a);
