/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A file name for the response of a get:URL action: http://127.0.0.1:6060/debug/pprof/heap answers
 * heap.pprof. The last part of the URL's path, and where that has no ending one that its first bytes suggest. Trusts
 * neither.
 */
#pragma once

#include <stddef.h>

enum { RESPONSE_NAME_MAX = 40 };

/* head: the first bytes of the answer, 64 are enough. Of letters, digits, '.', '_' and '-' only, never empty, and with
 * room for "-99" behind it. A name that is one of our own pieces' ("threads.txt") begins with "get-". Returns out. */
const char *response_name(const char *url, const void *head, size_t size, char out[RESPONSE_NAME_MAX]);
