/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses pieces of a NUL-terminated line: *at moves past a piece that matches, or stays. Does not skip white space.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool scan_word(const char **at, const char *word);
bool scan_number(const char **at, uint64_t *ret);
bool scan_int(const char **at, int64_t *ret); /* "-12" too */
bool scan_kb(const char **at, uint64_t *ret); /* "12kB", in bytes */

/* The last occurrence of word that ends before end; NULL if there is none. */
const char *scan_last(const char *text, const char *end, const char *word);

/* Copies text up to end into ret[max], with a NUL; false, and ret untouched, if it is too long. */
bool scan_copy(const char *text, const char *end, char *ret, size_t max);
