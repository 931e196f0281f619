/* SPDX-License-Identifier: Apache-2.0
 *
 * Any first bytes: an answer that exists, and the same for the same bytes.
 */
#undef NDEBUG
#include <assert.h>

#include "ship/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum content content = content_of(data, size);

    assert(content >= CONTENT_OTHER && content <= CONTENT_THREAD_DUMP);
    assert(content_of(data, size) == content);
    assert(size >= 4 || content == CONTENT_OTHER);
    return 0;
}
