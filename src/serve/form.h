/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Fields of a form (application/x-www-form-urlencoded) and of the header Cookie (RFC 6265, 4.2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The first field of that name, decoded, into out[room]; its size. -ENOENT; -EINVAL: a malformed escape, %00 or a
 * control character in it; -EMSGSIZE. */
int form_field(const char *form, size_t size, const char *name, char *out, size_t room);

/* The first cookie of that name into out[room]; its size. -ENOENT, -EMSGSIZE. */
int form_cookie(const char *header, const char *name, char *out, size_t room);

/* Whether text is a path of this server, to go on to after signing in: begins with one '/', holds no '\' and no
 * control character. */
bool form_is_local_path(const char *text);
