/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a frame: the clean one fits, has no more bytes, and stays as it is when cleaned again, but for what one
 * cleaning brings to light.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>

#include "threads/thread_dump.h"
#include "threads/thread_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[THREAD_TEXT_MAX], again[THREAD_TEXT_MAX];
    size_t n = thread_frame_clean((const char *)data, size, out);

    assert(n <= sizeof(out) && n <= size + 1);
    assert(thread_frame_clean(out, n, again) <= n + 1);
    return 0;
}
