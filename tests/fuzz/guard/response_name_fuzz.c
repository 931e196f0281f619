/* SPDX-License-Identifier: Apache-2.0
 *
 * Any URL and any answer, parted by a NUL: the name can be a file's, with room for a number.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "guard/response_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char SAFE[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    CLEANUP_FREE char *text = malloc(size + 1);
    char out[RESPONSE_NAME_MAX];
    size_t url;

    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    url = strlen(text);
    if (url == size)
        return 0;
    assert(response_name(text, text + url + 1, size - url - 1, out) == out);
    assert(strspn(out, SAFE) == strlen(out) && *out != '.' && *out != '-');
    assert(*out && strlen(out) + strlen("-99") < RESPONSE_NAME_MAX);
    return 0;
}
