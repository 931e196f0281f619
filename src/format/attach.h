/* SPDX-License-Identifier: Apache-2.0
 *
 * HotSpot's attach protocol as bytes, version 1 (attachListener_posix.cpp, AttachOperation): what is asked, and what is
 * answered. Sends nothing.
 *
 *   request   "1" NUL command NUL argument NUL argument NUL argument NUL, always three arguments
 *   answer    a decimal result, newline, text up to the end of the connection
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

enum { ATTACH_ARGS = 3, ATTACH_WORD_MAX = 1024 /* bytes of a word; a longer one breaks the listener's read */ };

/* Appends a request; missing arguments (NULL) are empty. -E2BIG for a word that is too long; -ENOMEM. */
int attach_request(struct buf *ret, const char *command, const char *const args[ATTACH_ARGS]);

/* Of a whole answer: its result, and where its text begins (size at most). -EBADMSG if it is none. */
int attach_answer(const char *data, size_t size, int *ret_result, size_t *ret_text);
