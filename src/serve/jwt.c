/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The header decides nothing but which key is looked up, and is refused if it asks for more.
 */
#include "serve/jwt.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

/* The object that one part of a token encodes; NULL. */
static json_t *read_part(const char *text, size_t size)
{
    CLEANUP_FREE char *json = malloc(size + 1);
    ssize_t length = json ? base64url_decode(text, size, json, size + 1) : -1;

    return length > 0 ? json_read_object(json, (size_t)length, JWT_MAX) : NULL;
}

/* Where the two dots are: header.claims.signature, none of them empty. */
static bool find_parts(const char *text, size_t size, size_t *first, size_t *second)
{
    const char *one = size <= JWT_MAX ? memchr(text, '.', size) : NULL;
    const char *two = one ? memchr(one + 1, '.', size - (size_t)(one + 1 - text)) : NULL;

    if (!two || memchr(two + 1, '.', size - (size_t)(two + 1 - text)))
        return false;
    *first = (size_t)(one - text);
    *second = (size_t)(two - text);
    return *first > 0 && *second > *first + 1 && *second + 1 < size;
}

static bool find_algorithm(const char *name, enum jwt_algorithm *ret)
{
    static const char *const NAMES[] = {[JWT_RS256] = "RS256", [JWT_PS256] = "PS256", [JWT_ES256] = "ES256"};

    for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
        if (text_eq(NAMES[i], name)) {
            *ret = (enum jwt_algorithm)i;
            return true;
        }
    return false;
}

static bool read_header(const json_t *header, struct jwt *ret)
{
    const char *kid = json_read_text(header, "kid");

    if (!header || json_object_get(header, "crit") || json_object_get(header, "b64") ||
        json_object_get(header, "zip") || !find_algorithm(json_read_text(header, "alg"), &ret->algorithm) ||
        strlen(kid) >= sizeof(ret->kid))
        return false;
    memcpy(ret->kid, kid, strlen(kid) + 1);
    return true;
}

int jwt_read(const char *text, size_t size, struct jwt *ret)
{
    json_auto_t *header = NULL;
    struct jwt t = {0};
    size_t first, second;

    assert(text && ret && !ret->claims);
    if (!find_parts(text, size, &first, &second))
        return -EINVAL;
    header = read_part(text, first);
    if (!read_header(header, &t) || !(t.claims = read_part(text + first + 1, second - first - 1)))
        return -EINVAL;
    *ret = t;
    return 0;
}

void jwt_done(struct jwt *t)
{
    json_decref(t->claims);
    t->claims = NULL;
}

/* A text, or one of several (RFC 7519, 4.1.3). */
static bool is_for(const json_t *claims, const char *audience)
{
    const json_t *aud = json_object_get(claims, "aud");

    if (json_is_string(aud))
        return text_eq(json_string_value(aud), audience);
    for (size_t i = 0; i < json_array_size(aud); i++)
        if (text_eq(json_string_value(json_array_get(aud, i)), audience))
            return true;
    return false;
}

/* Seconds, which may have a fraction; false: it is no number, or absurd. */
static bool read_time(const json_t *value, double *ret)
{
    double seconds = json_number_value(value);

    if (!json_is_number(value) || !(seconds >= 0 && seconds < 1e11))
        return false;
    *ret = seconds;
    return true;
}

const char *jwt_check(const struct jwt *t, const char *issuer, const char *audience, int64_t now_s)
{
    const json_t *not_before = json_object_get(t->claims, "nbf");
    double now = (double)now_s, at;

    assert(t->claims && issuer && audience);
    if (!text_eq(json_read_text(t->claims, "iss"), issuer))
        return "it is of another issuer";
    if (!is_for(t->claims, audience))
        return "it is for another audience";
    if (!read_time(json_object_get(t->claims, "exp"), &at))
        return "it does not say when it ends";
    if (at + JWT_LEEWAY_S <= now)
        return "it is over";
    if (not_before && (!read_time(not_before, &at) || at - JWT_LEEWAY_S > now))
        return "it is not valid yet";
    return NULL;
}

/* The claims of whatever looks like a JWT, by any algorithm; NULL. */
static json_t *claims_of(const char *text, size_t size)
{
    size_t first, second;

    return find_parts(text, size, &first, &second) ? read_part(text + first + 1, second - first - 1) : NULL;
}

bool jwt_has_audience(const char *text, size_t size, const char *audience)
{
    json_auto_t *claims = claims_of(text, size);

    return claims && is_for(claims, audience);
}

bool jwt_has_issuer(const char *text, size_t size, const char *issuer)
{
    json_auto_t *claims = claims_of(text, size);

    return claims && text_eq(json_read_text(claims, "iss"), issuer);
}
