/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A file name for the response of a get:URL action: http://127.0.0.1:6060/debug/pprof/heap becomes
 * heap.pprof. The last part of the URL's path; if that has no ending, one by the first bytes of the response. Trusts
 * neither.
 */
#pragma once

#include <stddef.h>

enum { RESPONSE_NAME_MAX = 40 };

/* head: the first bytes of the response, 64 are enough. The name has only letters, digits, '.', '_' and '-', is
 * never empty, and has room for "-99" behind it. A name of our own pieces ("threads.txt") gets "get-" in front.
 * Returns out. */
const char *response_name(const char *url, const void *head, size_t size, char out[RESPONSE_NAME_MAX]);
