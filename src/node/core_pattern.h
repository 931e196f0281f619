/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The text of kernel.core_pattern (core(5)): ours, and what was there before, which may be anybody's.
 */
#pragma once

#include <stdbool.h>

#include "base/strv.h"

enum { CORE_PATTERN_MAX = 128 }; /* the kernel's CORENAME_MAX_SIZE, with the line's end or NUL */

/* A pipe to "PROGRAM core-handler …". 0; -ENAMETOOLONG: the program's path is too long; -EINVAL: it has white space or
 * '%', which the kernel would read otherwise. */
int core_pattern_pipe(const char *program, char ret[CORE_PATTERN_MAX]);

/* The folder of the handler or socket of ours that it names: "|DIR/salvage core-handler …", "@@DIR/socket". False: it
 * names none; whether what it names is ours, the folder says. */
bool core_pattern_home(const char *pattern, char ret[CORE_PATTERN_MAX]);

/* Whether it starts a program: '|'. */
bool core_pattern_is_pipe(const char *pattern);

/* The command line of a pipe pattern, as the kernel makes it: split at blanks, then specifiers replaced by
 * value_of(ctx, letter), NULL for an unknown one, which is dropped as by the kernel. 0; -EINVAL: no pipe, or no
 * absolute program; -ENOMEM. */
int core_pattern_expand(const char *pattern, const char *(*value_of)(void *ctx, char letter), void *ctx,
                        struct strv *ret);
