/* SPDX-License-Identifier: Apache-2.0
 *
 * Several ranges of one file in one answer: multipart/byteranges (RFC 9110, 14.6).
 */
#pragma once

#include "serve/object_answer.h"

/* Answers 206; fd is taken. */
void byteranges_answer(struct request *r, const struct representation *p, const struct ranges *ranges, int fd);
