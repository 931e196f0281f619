/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Content-Digest and Repr-Digest (RFC 9530): "sha-256=:…:, sha-512=:…:". Other algorithms are ignored,
 * as the RFC wants it: they are not safe.
 */
#pragma once

#include <stdbool.h>

enum { DIGEST_SHA256_SIZE = 32, DIGEST_SHA512_SIZE = 64, DIGEST_FIELD_MAX = 64 };

struct digest_field {
    bool has_sha256, has_sha512;
    unsigned char sha256[DIGEST_SHA256_SIZE], sha512[DIGEST_SHA512_SIZE];
};

/* field NULL: there is none. 0, or -EBADMSG: no dictionary, or a digest that is no byte sequence of its algorithm's
 * size. */
int digest_field_parse(const char *field, struct digest_field *ret);

/* "sha-256=:…:" into out[DIGEST_FIELD_MAX]; returns out. */
const char *digest_field_format(const unsigned char sha256[DIGEST_SHA256_SIZE], char *out);
