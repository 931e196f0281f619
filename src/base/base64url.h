/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Base64 for URLs and tokens, without padding (RFC 4648, 5; RFC 7515, 2).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* NUL-terminated into out[room]; 0 or -EMSGSIZE. */
int base64url_encode(const void *data, size_t size, char *out, size_t room);

/* Bytes in out, or -EINVAL (another character, padding, a size that none has, bits left over), -EMSGSIZE. */
ssize_t base64url_decode(const char *text, size_t size, void *out, size_t room);
