/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of `salvage jvm` have in common: the process that is meant, and how long to wait for it.
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
     "how long to wait for a JVM that is silent: stopped, starting up, at a safepoint"}
/* clang-format on */

/* The process id that an operand is; NULL: none given. -FAULT_USAGE. */
int jvm_pid(const char *command, const char *operand, pid_t *ret, struct err *e);

/* Whether a first operand is meant as a process id, where one may be left out: nothing but digits. */
bool jvm_is_pid(const char *word);

/* The only JVM that is seen; -FAULT_USAGE if there are several, -ESRCH without any. */
int jvm_only(const char *command, pid_t *ret, struct err *e);

/* Opens the JVM that an operand names, or without one (NULL) the only one that is seen. -FAULT_USAGE, or as jvm_open.
 */
int jvm_target(const char *command, const char *operand, struct jvm *ret, struct err *e);

/* Sends a diagnostic command ("Thread.print -l") and writes its answer to stdout as it comes. */
int jvm_print(const struct jvm *j, const struct jvm_options *o, const char *diagnostic, struct err *e);

/* To stdout, at once. A reader that has seen enough (`| head`) ends us as it would end any filter. */
int jvm_write(const char *text, size_t size, struct err *e);

/* The same for what a JVM says: to a terminal without its control characters, else as it is. */
int jvm_relay(const char *text, size_t size, struct err *e);
