/* SPDX-License-Identifier: Apache-2.0
 *
 * Any set of keys: none of those that are read has signed what nobody has signed.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "serve/jwks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* {"alg":"RS256"}.{"iss":"x"}.… */
    static const char TOKEN[] = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.AAAAAAAAAAAA";
    struct jwks *keys = NULL;
    struct jwt t = {0};

    if (jwks_read((const char *)data, size, &keys) < 0) {
        assert(!keys);
        return 0;
    }
    assert(jwt_read(TOKEN, sizeof(TOKEN) - 1, &t) == 0);
    assert(!jwks_verify(keys, &t, TOKEN, sizeof(TOKEN) - 1));
    jwt_done(&t);
    jwks_free(keys);
    return 0;
}
