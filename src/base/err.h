/* SPDX-License-Identifier: Apache-2.0
 *
 * The message of a failure: on the caller's stack, because we run while memory runs out. A function that fails
 * returns a negative number (-errno or -enum fault, base/fault.h) and, from floor 2 up, writes the message into its
 * last parameter. A message says what, where, and what to do about it, in one line.
 */
#pragma once

#include <stdarg.h>

#include "base/fault.h"

struct err {
    char msg[768];
    unsigned retry_after_ms; /* the store's Retry-After; 0: none */
};

/* Writes the message and returns code, so that failing is one statement. e may be NULL. Control characters are
 * replaced, because names are untrusted. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

int err_setv(struct err *e, int code, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* Puts "text: " before the message that is there; returns code. */
int err_prefix(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
