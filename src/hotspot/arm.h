/* SPDX-License-Identifier: Apache-2.0
 *
 * Has a running JVM dump when memory runs out: HeapDumpOnOutOfMemoryError on and HeapDumpPath set, by attach. The path
 * is a file's that no other process has: a JVM never writes over a file, so at a fixed path the dump of the next
 * process is lost. A HeapDumpPath that the user gave stays, unless he says otherwise. Nothing is remembered anywhere:
 * what is ours is known by its name, and the way back leads to the command line and the environment.
 *
 * A JVM dumps at the first OutOfMemoryError of its life only (debug.cpp, report_java_out_of_memory), whether it was
 * told to by then or not.
 */
#pragma once

#include <stdbool.h>

#include "hotspot/armplace.h"
#include "hotspot/attach.h"

/* What a JVM says of its options now. */
struct arm_flags {
    bool on;
    char *path;    /* NULL: none */
    bool gzip;     /* HeapDumpGzipLevel, JDK 17 and newer */
    bool attached; /* `on` was set by attach, by us or by jinfo; also where the JVM does not say (JDK 8) */
};

enum arm_outcome {
    ARM_ARMED,     /* set just now */
    ARM_ALREADY,   /* nothing had to be set */
    ARM_DISARMED,  /* set back */
    ARM_NOT_ARMED, /* nothing to be set back */
};

struct arm_result {
    enum arm_outcome outcome;
    struct arm_flags before, now;
    bool own_path; /* HeapDumpPath is the user's, and was kept */
    bool too_late; /* it has run out of memory before, and will not dump again; only if it was asked to be looked for */
};

struct arm_request {
    struct armplace place; /* worth nothing with undo */
    bool force;            /* over a HeapDumpPath of the user's, too */
    bool undo;
    bool history; /* look for earlier OutOfMemoryErrors: asks the JVM for all it knows of itself (VM.info) */
    struct attach_wait wait;
};

/* 0; else as attach_ask and armplace_find, and nothing was changed, or only HeapDumpPath. */
int arm_jvm(const struct jvm *j, const struct arm_request *request, struct arm_result *ret, struct err *e);
void arm_result_done(struct arm_result *r);
