/* SPDX-License-Identifier: Apache-2.0
 *
 * Text on a terminal: width, headings, wrapped paragraphs. Bold only if out is a terminal that supports it, and
 * NO_COLOR (no-color.org) is not set.
 */
#pragma once

#include <stdio.h>

/* The width in columns: 80, or COLUMNS (40 to 200). */
unsigned page_width(void);

void page_heading(FILE *out, const char *heading); /* "Heading:" and a new line */

/* Writes text in words, from the given column on, further lines indented to that column, up to page_width(); ends
 * the last line. A new line in text is kept. */
void page_wrap(FILE *out, unsigned column, const char *text);

/* Escapes text for a man page: the backslash, the dash (else it becomes a hyphen, which can't be copied into a shell),
 * a dot at the beginning of a line. */
void page_roff(FILE *out, const char *text);
