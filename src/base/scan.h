/* SPDX-License-Identifier: Apache-2.0
 *
 * Small steps through a line of text that ends with NUL: *at moves behind what is there, or stays. Knows no white
 * space.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool scan_word(const char **at, const char *word);
bool scan_number(const char **at, uint64_t *ret);
bool scan_int(const char **at, int64_t *ret); /* "-12" too */
bool scan_kb(const char **at, uint64_t *ret); /* "12kB", in bytes */

/* The last place of word that ends before end; NULL without. */
const char *scan_last(const char *text, const char *end, const char *word);

/* text up to end into ret[max], with a NUL; false, and ret untouched, if it is too long. */
bool scan_keep(const char *text, const char *end, char *ret, size_t max);
