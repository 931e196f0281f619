/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as each kind of evidence: fed in one piece and in small ones, the answer is the same.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "ship/wholeness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wholeness one, many;
    char out[2][128];
    const char *partial[2];

    if (size < 2)
        return 0;
    wholeness_init(&one, (enum content)(data[0] % (CONTENT_THREAD_DUMP + 1)));
    wholeness_init(&many, one.content);
    assert(wholeness_feed(&one, data + 2, size - 2) == 0);
    for (size_t at = 2, piece = data[1] % 16 + 1u; at < size; at += piece)
        assert(wholeness_feed(&many, data + at, size - at < piece ? size - at : piece) == 0);
    partial[0] = wholeness_partial(&one, out[0], sizeof(out[0]));
    partial[1] = wholeness_partial(&many, out[1], sizeof(out[1]));
    assert(!partial[0] == !partial[1]);
    assert(!partial[0] || strcmp(partial[0], partial[1]) == 0);
    wholeness_done(&one);
    wholeness_done(&many);
    return 0;
}
