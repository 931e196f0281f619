/* SPDX-License-Identifier: Apache-2.0
 *
 * Text for people on a terminal: its width, headings, paragraphs that are wrapped. Bold only where out is a terminal
 * that can, and NO_COLOR (no-color.org) is not set.
 */
#pragma once

#include <stdio.h>

/* Columns to write within: 80, or what COLUMNS says (40 to 200). */
unsigned page_width(void);

void page_heading(FILE *out, const char *heading); /* "Heading:" and a new line */

/* Writes text in words, from the given column on, further lines indented to that column, up to page_width(); ends
 * the last line. A new line in text is kept. */
void page_wrap(FILE *out, unsigned column, const char *text);

/* Text for a man page, with roff's own escaped: the backslash, the dash (else a hyphen, which can't be copied into a
 * shell), a dot that begins a line. */
void page_roff(FILE *out, const char *text);
