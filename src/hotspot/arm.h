/* SPDX-License-Identifier: Apache-2.0
 *
 * Arms a running JVM, so that it dumps its heap at an OutOfMemoryError: sets HeapDumpOnOutOfMemoryError and
 * HeapDumpPath by attach. The path is unique to the process: a JVM never overwrites a file, so at a fixed path the dump
 * of the next process would be lost. A HeapDumpPath that the user set stays, unless forced. No state is stored: our
 * paths are recognised by their form, and undoing goes back to the command line and the environment.
 *
 * A JVM dumps at the first OutOfMemoryError of its life only (debug.cpp, report_java_out_of_memory), whether the option
 * was set by then or not.
 */
#pragma once

#include <stdbool.h>

#include "hotspot/armplace.h"
#include "hotspot/attach.h"

/* The JVM's options at this moment, as it reports them. */
struct arm_flags {
    bool on;
    char *path;    /* NULL: none */
    bool gzip;     /* HeapDumpGzipLevel, JDK 17 and newer */
    bool attached; /* `on` was set by attach, by us or by jinfo; also true if the JVM does not report the origin (JDK 8)
                    */
};

enum arm_outcome {
    ARM_ARMED,     /* set just now */
    ARM_ALREADY,   /* nothing had to be set */
    ARM_DISARMED,  /* undone */
    ARM_NOT_ARMED, /* there was nothing to undo */
};

struct arm_result {
    enum arm_outcome outcome;
    struct arm_flags before, now;
    bool own_path; /* HeapDumpPath was set by the user, and was kept */
    bool too_late; /* an OutOfMemoryError has happened before: the JVM will not dump again. Only with
                      arm_request.history */
};

struct arm_request {
    struct armplace place; /* ignored with undo */
    bool force;            /* replace a HeapDumpPath that the user set, too */
    bool undo;
    bool history; /* look for earlier OutOfMemoryErrors, in the JVM's answer to VM.info */
    struct attach_wait wait;
};

/* 0; or an error as of attach_ask and armplace_find: then nothing was changed, or HeapDumpPath alone. */
int arm_jvm(const struct jvm *j, const struct arm_request *request, struct arm_result *ret, struct err *e);
void arm_result_done(struct arm_result *r);
