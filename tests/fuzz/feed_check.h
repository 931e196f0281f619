/* SPDX-License-Identifier: Apache-2.0
 *
 * A fuzzer for a format that is fed piece by piece (X_init, X_feed, X_partial): fed in one piece and in small ones, the
 * answer is the same.
 */
#pragma once

#undef NDEBUG
#include <assert.h>
#include <string.h>

#define FEED_FUZZER(X)                                                                                                 \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);                                                      \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                                                       \
    {                                                                                                                  \
        struct X one, many;                                                                                            \
        char out[2][128];                                                                                              \
        const char *partial[2];                                                                                        \
                                                                                                                       \
        if (size < 1)                                                                                                  \
            return 0;                                                                                                  \
        X##_init(&one);                                                                                                \
        X##_init(&many);                                                                                               \
        X##_feed(&one, data + 1, size - 1);                                                                            \
        for (size_t at = 1, piece = data[0] % 16 + 1u; at < size; at += piece)                                         \
            X##_feed(&many, data + at, size - at < piece ? size - at : piece);                                         \
        partial[0] = X##_partial(&one, out[0], sizeof(out[0]));                                                        \
        partial[1] = X##_partial(&many, out[1], sizeof(out[1]));                                                       \
        assert(one.offset == size - 1);                                                                                \
        assert(one.offset == many.offset);                                                                             \
        assert(!partial[0] == !partial[1]);                                                                            \
        assert(!partial[0] || strcmp(partial[0], partial[1]) == 0);                                                    \
        return 0;                                                                                                      \
    }
