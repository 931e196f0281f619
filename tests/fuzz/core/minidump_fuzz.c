/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a minidump: fed in one piece and in small ones, the answer is the same.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "core/minidump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct minidump one, many;
    char out[2][128];
    const char *partial[2];

    if (size < 1)
        return 0;
    minidump_init(&one);
    minidump_init(&many);
    minidump_feed(&one, data + 1, size - 1);
    for (size_t at = 1, piece = data[0] % 16 + 1u; at < size; at += piece)
        minidump_feed(&many, data + at, size - at < piece ? size - at : piece);
    partial[0] = minidump_partial(&one, out[0], sizeof(out[0]));
    partial[1] = minidump_partial(&many, out[1], sizeof(out[1]));
    assert(one.offset == size - 1);
    assert(one.offset == many.offset);
    assert(!partial[0] == !partial[1]);
    assert(!partial[0] || strcmp(partial[0], partial[1]) == 0);
    return 0;
}
