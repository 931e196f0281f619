/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a request of the kernel, and as its mark.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "core/coredump_socket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char answer[COREDUMP_ANSWER_SIZE];
    struct coredump_request r;
    uint64_t mask;

    if (size >= COREDUMP_MARK_SIZE)
        coredump_mark_problem(data);
    if (coredump_request_parse(data, size, &r) < 0)
        return 0;
    assert(r.size >= COREDUMP_REQUEST_MIN && r.size <= COREDUMP_REQUEST_MAX && r.answer_size >= COREDUMP_ANSWER_SIZE);
    for (int take = 0; take < 2; take++) {
        if (coredump_answer_make(&r, take, answer) < 0)
            continue;
        memcpy(&mask, answer + 8, sizeof(mask));
        assert((mask & ~r.mask) == 0);
        assert(__builtin_popcountll(mask & (COREDUMP_BY_KERNEL | COREDUMP_BY_USERSPACE | COREDUMP_NONE)) == 1);
    }
    return 0;
}
