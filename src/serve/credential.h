/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The header Authorization: "Bearer TOKEN" (RFC 6750), or "Basic" with the token as its password, the
 * user name being of no account (RFC 7617), for clients that know nothing else.
 */
#pragma once

#include "base/secret.h"

enum { CREDENTIAL_MAX = 8192 }; /* bytes of the token */

/* 0 with the token; -EINVAL: another scheme, malformed, empty, longer, or a token with a character that tokens don't
 * have; -ENOMEM. */
int credential_parse(const char *header, struct secret **ret);
