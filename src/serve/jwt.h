/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. JSON Web Tokens (RFC 7519) in the compact form: taken apart, and their claims checked. Signatures are
 * checked elsewhere (jwks.h); until then nothing that is read here is true.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JWT_MAX = 8192, JWT_KID_MAX = 256, JWT_LEEWAY_S = 60 };

enum jwt_algorithm { JWT_RS256, JWT_PS256, JWT_ES256 };

struct jwt {
    enum jwt_algorithm algorithm;
    char kid[JWT_KID_MAX]; /* "" without */
    json_t *claims;        /* an object; owned */
};

/* -EINVAL: no JWT, larger than JWT_MAX, another algorithm than these three (never "none" or HS256), an extension that
 * has to be understood (crit); -ENOMEM. */
int jwt_read(const char *text, size_t size, struct jwt *ret);
void jwt_done(struct jwt *t);

/* NULL, or what is wrong with issuer, audience and times; in words for the client. */
const char *jwt_check(const struct jwt *t, const char *issuer, const char *audience, int64_t now_s);

/* Whether text is a JWT that says it is for this audience, whatever else it is. */
bool jwt_has_audience(const char *text, size_t size, const char *audience);

/* Whether text is a JWT that says it was issued by this one. */
bool jwt_has_issuer(const char *text, size_t size, const char *issuer);
