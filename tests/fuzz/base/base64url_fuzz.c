/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text: what is decoded encodes to the same text again; any bytes: they come back.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/base64url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2048];
    unsigned char bytes[1024];
    ssize_t n;

    if (size > 1024)
        return 0;
    if ((n = base64url_decode((const char *)data, size, bytes, sizeof(bytes))) >= 0) {
        assert(base64url_encode(bytes, (size_t)n, text, sizeof(text)) == 0);
        assert(strlen(text) == size && memcmp(text, data, size) == 0);
    }
    assert(base64url_encode(data, size, text, sizeof(text)) == 0);
    assert(base64url_decode(text, strlen(text), bytes, sizeof(bytes)) == (ssize_t)size);
    assert(memcmp(bytes, data, size) == 0);
    return 0;
}
