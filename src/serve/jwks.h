/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The keys of an issuer (RFC 7517), and signatures of tokens by them (cjose). Keys for anything but
 * RS256, PS256 and ES256 are left out, as are RSA keys below 2048 bits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "serve/jwt.h"

enum { JWKS_SIZE_MAX = 256 * 1024, JWKS_KEYS_MAX = 64 };

struct jwks;

/* -EBADMSG: no set of keys, or none in it that can be used; -ENOMEM. */
int jwks_read(const char *text, size_t size, struct jwks **ret);
void jwks_free(struct jwks *k);

/* Whether a key may have signed a token of that header. */
bool jwks_has(const struct jwks *k, const struct jwt *t);

/* Whether text, from which t was read, is signed by one of the keys. Not for several threads at once. */
bool jwks_verify(const struct jwks *k, const struct jwt *t, const char *text, size_t size);
