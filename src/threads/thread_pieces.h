/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of a text that need not end with NUL, for readers of lines. A piece of size 0 may have text NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct piece {
    const char *text;
    size_t size;
};

bool piece_begins(struct piece p, const char *words);
/* The text behind words, wherever they are; size 0 and text NULL if they are not in it. */
struct piece piece_behind(struct piece p, const char *words);
struct piece piece_until(struct piece p, const char *stop); /* all if stop is not in it */
struct piece piece_trim(struct piece p);                    /* without blanks at both ends */
/* The next word, blanks before it skipped; *p moves behind it. */
struct piece piece_word(struct piece *p);
bool piece_is(struct piece p, const char *text);
uint64_t piece_number(struct piece p); /* decimal, or hexadecimal after "0x"; 0 if it is none */
double piece_decimal(struct piece p);  /* "37.79ms": 37.79; -1 if it is none */
