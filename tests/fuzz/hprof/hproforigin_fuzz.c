/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the beginning of a heap dump: fed in one piece and in small ones, the answer is the same.
 */
#undef NDEBUG
#include <assert.h>

#include "hprof/hproforigin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hproforigin one, many;

    if (size < 1)
        return 0;
    hproforigin_init(&one);
    hproforigin_init(&many);
    hproforigin_feed(&one, data + 1, size - 1);
    for (size_t at = 1, piece = data[0] % 16 + 1u; at < size; at += piece)
        hproforigin_feed(&many, data + at, size - at < piece ? size - at : piece);
    assert(one.answer == many.answer);
    hproforigin_end(&one);
    assert(one.answer != HPROFORIGIN_UNDECIDED);
    return 0;
}
