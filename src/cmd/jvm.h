/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the subcommands of `salvage jvm`: finding the JVM, the --timeout option, printing its answers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hotspot/attach.h"

/* Embedded in each part's options. */
struct jvm_options {
    uint64_t timeout_ms;
};

/* clang-format off */
#define JVM_OPTION_TIMEOUT(o, j)                                                                                       \
    {OPT_DURATION, 0, "timeout", "DURATION", "30s", offsetof(o, j.timeout_ms),                                         \
     "how long to wait for a silent JVM: one that is stopped, starting up or at a safepoint"}
/* clang-format on */

/* Parses an operand as a process id; NULL: no operand. -FAULT_USAGE. */
int jvm_pid(const char *command, const char *operand, pid_t *ret, struct err *e);

/* Whether a first operand is a process id, if that is optional: only digits. */
bool jvm_is_pid(const char *word);

/* The only visible JVM; -FAULT_USAGE if there are several, -ESRCH if there is none. */
int jvm_only(const char *command, pid_t *ret, struct err *e);

/* Opens the JVM that an operand names, or if it is NULL the only visible one. -FAULT_USAGE, or as jvm_open. */
int jvm_target(const char *command, const char *operand, struct jvm *ret, struct err *e);

/* Sends a diagnostic command ("Thread.print -l") and writes its answer to stdout as it comes. */
int jvm_print(const struct jvm *j, const struct jvm_options *o, const char *diagnostic, struct err *e);

/* Writes to stdout and flushes. On a closed pipe (`| head`) dies of SIGPIPE, like any filter. */
int jvm_write(const char *text, size_t size, struct err *e);

/* The same for a JVM's text: to a terminal without control characters, else unchanged. */
int jvm_relay(const char *text, size_t size, struct err *e);
