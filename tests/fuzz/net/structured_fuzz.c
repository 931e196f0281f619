/* SPDX-License-Identifier: Apache-2.0
 *
 * Any field: as an item and as a dictionary. What is found lies within the field, and a dictionary comes to an end.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "net/structured.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *field, const struct structured *s)
{
    unsigned char out[64];

    if (s->type == STRUCTURED_INTEGER)
        assert(s->integer > -1000000000000000 && s->integer < 1000000000000000);
    if (s->type != STRUCTURED_BYTES)
        return;
    assert(s->base64 > field && s->base64 + s->base64_size < field + strlen(field));
    int n = structured_bytes(s, out, sizeof(out));
    assert(n <= (int)sizeof(out) && n <= (int)s->base64_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *field = strndup((const char *)data, size);
    struct structured_reader reader = {.at = field};
    struct structured value;
    const char *key;
    size_t key_size;

    assert(field);
    if (structured_item(field, &value) == 0)
        check(field, &value);
    for (size_t count = 0; structured_next(&reader, &key, &key_size, &value) == 1; count++) {
        assert(key >= field && key_size > 0 && key + key_size <= field + strlen(field) && count <= size);
        check(field, &value);
    }
    return 0;
}
