/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of a JVM without asking it: from its counters, and from /proc where it keeps none. A JVM that is not
 * HotSpot's, or whose counters are not to be believed, gets what is known, and a note.
 *
 * All text is a stranger's: it is made fit for a terminal and for JSON here, control characters as '?', and cut at 8
 * KiB.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "hotspot/jvmheap.h"
#include "place/containerid.h"
#include "place/whoami.h"

struct about {
    pid_t pid, inner_pid; /* ours; as it knows itself */
    uid_t uid;            /* effective */
    int64_t started_ns;   /* since 1970; 0 unknown */
    char *main_class;     /* as jps -l: class, path of a jar, module/class; NULL unknown, as all of these */
    char *arguments;      /* of the application, as jps -m */
    char *jvm_arguments;  /* as jps -v */
    char *jvm_flags;      /* of a flags file, as jps -V */
    char *version;        /* of the Java runtime: "17.0.13", "1.8.0_402" */
    char *vm_version;     /* "17.0.13+11-LTS", "25.402-b06" */
    char *vm_name;        /* "OpenJDK 64-Bit Server VM" */
    struct jvmheap heap;
    char container[CONTAINERID_MAX]; /* "" for none */
    char *pod, *namespace, *host;
    char *note; /* why less is known than of others; NULL */
};

/* root is "/proc" but in tests. -FAULT_FORMAT if it is no JVM at all; -ESRCH; -EACCES; -ENOMEM. */
int about_jvm(const char *root, pid_t pid, struct about *ret, struct err *e);
void about_done(struct about *a);

/* Where in main_class its short name begins: as jps without -l. "Unknown" for a JVM without, of which jps says nothing
 * or that. Borrowed. */
const char *about_short_name(const struct about *a);
