/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. HotSpot's attach protocol as bytes: what is asked, and what is answered (attachListener.cpp,
 * AttachOperation). Sends nothing. Every JVM answers version 1; version 2 (JDK 24, and updates of older ones) has
 * arguments of any length and options; asked in version 1 for "getversion", a JVM says what it knows.
 *
 *   version 1   "1" NUL command NUL argument NUL argument NUL argument NUL, always three arguments
 *   version 2   "2" NUL size NUL command[ option=value] NUL argument NUL …; size: decimal, bytes behind its own NUL
 *   answer      a decimal result, newline, text up to the end of the connection; with the option streaming=1 the
 *               text comes while the JVM makes it
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum {
    ATTACH_ARGS = 3,
    ATTACH_WORD_MAX = 1024,          /* version 1: bytes of a word; a longer one breaks the listener's read */
    ATTACH_REQUEST_MAX = 256 * 1024, /* version 2: bytes of all words */
    ATTACH_RESULT_MAX = 16           /* bytes of an answer's first line */
};

/* What a JVM speaks. */
struct attach_dialect {
    unsigned version; /* 1, 2 */
    bool streams;     /* knows streaming=1 */
};

/* Appends a request; arguments end with the first NULL. stream: have the answer streamed, where that can be asked.
 * -E2BIG for what is too long for the version; -ENOMEM. */
int attach_request(struct buf *ret, const struct attach_dialect *dialect, bool stream, const char *command,
                   const char *const args[ATTACH_ARGS]);

/* The first line of an answer, of which size bytes are there: 1 with its result, and where its text begins (size at
 * most); 0 if it is not there yet; -EBADMSG if it is none. */
int attach_answer(const char *data, size_t size, int *ret_result, size_t *ret_text);

/* The text of the answer to "getversion" with the argument "options": "2 streaming". Whatever is not understood is
 * version 1. */
void attach_versions(const char *text, struct attach_dialect *ret);
