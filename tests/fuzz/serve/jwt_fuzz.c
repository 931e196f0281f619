/* SPDX-License-Identifier: Apache-2.0
 *
 * Any token: what is taken apart has claims and a known algorithm, and passes no check by chance.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "serve/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct jwt t = {0};

    jwt_has_issuer(text, size, "https://issuer");
    if (jwt_read(text, size, &t) < 0) {
        assert(!t.claims);
        return 0;
    }
    assert(size <= JWT_MAX && json_is_object(t.claims) && memchr(t.kid, '\0', sizeof(t.kid)));
    assert(t.algorithm == JWT_RS256 || t.algorithm == JWT_PS256 || t.algorithm == JWT_ES256);
    if (!jwt_check(&t, "https://issuer", "salvage", 500))
        assert(jwt_has_audience(text, size, "salvage") && jwt_has_issuer(text, size, "https://issuer"));
    jwt_done(&t);
    return 0;
}
