/* SPDX-License-Identifier: Apache-2.0
 *
 * Any header Authorization: what is accepted is a token of visible characters, not longer than the header.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    struct secret *token = NULL;

    assert(text);
    if (credential_parse(text, &token) < 0) {
        assert(!token);
        return 0;
    }
    assert(secret_size(token) > 0 && secret_size(token) < strlen(text) && secret_size(token) <= CREDENTIAL_MAX);
    for (const char *c = secret_expose(token); *c; c++)
        assert(*c > ' ' && *c < 0x7f);
    secret_free(token);
    return 0;
}
