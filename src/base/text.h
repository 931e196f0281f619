/* SPDX-License-Identifier: Apache-2.0
 *
 * Text: comparing, printable copies, numbers with units. Independent of the locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_eq(const char *a, const char *b); /* false if either is NULL */
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* Bytes of a path or URL without the slashes at its end. */
size_t text_size_without_slashes(const char *path);

/* The part of a path after the last '/'; "" if it ends with '/'. */
const char *text_base_name(const char *path);

/* The text after name in the first line that begins with it ("Uid:"); NULL if there is none. */
const char *text_behind(const char *text, const char *name);

/* "64M", "1.5GiB", "2Gi", "4096" in bytes (K, M, G, T are powers of 1024). 0, -EINVAL, -ERANGE. */
int text_parse_size(const char *text, uint64_t *ret_bytes);

/* "25", "25s", "500ms", "10m", "2h", "1d" in milliseconds; a bare number is seconds. 0, -EINVAL, -ERANGE. */
int text_parse_duration(const char *text, uint64_t *ret_ms);

/* Digits only, at most max. 0, -EINVAL, -ERANGE. */
int text_parse_uint(const char *text, uint64_t max, uint64_t *ret);

enum { TEXT_SIZE_MAX = 24, TEXT_SIGNED_SIZE_MAX = TEXT_SIZE_MAX + 4, TEXT_DURATION_MAX = 24 };

/* "1.4 GiB", "312 B" into out[TEXT_SIZE_MAX]; returns out. */
const char *text_format_size(uint64_t bytes, char *out);

/* "+1.4 GiB" into out[TEXT_SIGNED_SIZE_MAX]; minus: what stands before less than nothing, of at most 4 bytes. */
const char *text_format_signed_size(int64_t bytes, const char *minus, char *out);

/* "0:07", "1:02:33" into out[TEXT_DURATION_MAX]; returns out. */
const char *text_format_duration(uint64_t seconds, char *out);

/* Lower-case hex into out[2 * size + 1]. */
void text_hex(const void *data, size_t size, char *out);

/* The other way: exactly size bytes from 2 * size digits. 0 or -EINVAL. */
int text_unhex(const char *hex, void *out, size_t size);

/* Bytes of the UTF-8 sequence at text (1 to 4), 0 if it is malformed or text is at its end (RFC 3629). */
size_t text_utf8_length(const char *text, size_t size);

/* The code point of a well-formed character (text_utf8_length) that controls a terminal, changes the direction of text
 * or is invisible; 0 for all others. */
unsigned text_control(const char *text, size_t length);

/* Filters a stream of foreign text for a terminal: replaces by '?' what text_printable replaces, except line ends and
 * tabs. held: the beginning of an incomplete character; to be zeroed at first. Writes at most size + sizeof(held) bytes
 * to out; returns how many. */
struct text_screen {
    char held[4];
    size_t held_size;
};
size_t text_screen(struct text_screen *s, const char *text, size_t size, char *out);

/* Copies text into out[size] for terminals and messages: control characters and malformed UTF-8 become '?'; cut with
 * "..." if too long. Returns out. */
const char *text_printable(const char *text, char *out, size_t size);

enum { TEXT_FAR = 32 };

/* Levenshtein's distance between short words; TEXT_FAR if one is longer than that. */
unsigned text_distance(const char *a, const char *b);

/* The name, of a list that ends with NULL, that a mistyped word may mean: one that begins with it, or else the nearest.
 * NULL if none is similar. */
const char *text_nearest(const char *word, const char *const *names);
