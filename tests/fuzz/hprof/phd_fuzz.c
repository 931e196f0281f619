/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a portable heap dump: fed in one piece and in small ones, the answer is the same.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "hprof/phd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct phd one, many;
    char out[2][128];
    const char *partial[2];

    if (size < 1)
        return 0;
    phd_init(&one);
    phd_init(&many);
    phd_feed(&one, data + 1, size - 1);
    for (size_t at = 1, piece = data[0] % 16 + 1u; at < size; at += piece)
        phd_feed(&many, data + at, size - at < piece ? size - at : piece);
    partial[0] = phd_partial(&one, out[0], sizeof(out[0]));
    partial[1] = phd_partial(&many, out[1], sizeof(out[1]));
    assert(one.offset == size - 1);
    assert(one.offset == many.offset);
    assert(!partial[0] == !partial[1]);
    assert(!partial[0] || strcmp(partial[0], partial[1]) == 0);
    return 0;
}
