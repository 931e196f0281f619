/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The bytes of HotSpot's attach protocol, requests and answers (attachListener.cpp, AttachOperation).
 * Sends nothing. Every JVM answers version 1; version 2 (JDK 24, and updates of older ones) has arguments of any
 * length, and options. A JVM reports its versions in answer to the version 1 command "getversion".
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
    ATTACH_WORD_MAX = 1024,          /* version 1: bytes of a word with its NUL; the listener can't read longer ones */
    ATTACH_REQUEST_MAX = 256 * 1024, /* version 2: bytes of all words */
    ATTACH_RESULT_MAX = 16           /* bytes of an answer's first line */
};

/* What a JVM understands. */
struct attach_dialect {
    unsigned version; /* 1, 2 */
    bool streams;     /* understands streaming=1 */
};

/* Appends a request; args end with the first NULL. stream: request a streamed answer, if the dialect has it. -E2BIG if
 * it is too long for the version; -ENOMEM. */
int attach_request(struct buf *ret, const struct attach_dialect *dialect, bool stream, const char *command,
                   const char *const args[ATTACH_ARGS]);

/* Parses the first line of an answer, of which size bytes have arrived: 1 with its result, and the offset of its text
 * (at most size); 0 if the line is incomplete; -EBADMSG if it is malformed. */
int attach_answer(const char *data, size_t size, int *ret_result, size_t *ret_text);

/* Parses the answer to "getversion" with the argument "options", such as "2 streaming". Anything malformed counts as
 * version 1. */
void attach_versions(const char *text, struct attach_dialect *ret);
