/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as Go's table of functions: texts lie inside of it and end there. The first 16 bytes are the text's address
 * and the one that is looked up.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/gopclntab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, const uint8_t *data, size_t size)
{
    assert((const uint8_t *)text >= data && (const uint8_t *)text + strlen(text) < data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gopclntab_place p;
    uint64_t at[2];

    if (size < sizeof(at))
        return 0;
    memcpy(at, data, sizeof(at));
    data += sizeof(at);
    size -= sizeof(at);
    if (!gopclntab_find(data, size, at[0], at[1], &p))
        return 0;
    assert(*p.function && p.line >= 0);
    check(p.function, data, size);
    if (p.file)
        check(p.file, data, size);
    return 0;
}
