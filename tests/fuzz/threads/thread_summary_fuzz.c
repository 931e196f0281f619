/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a thread dump: a sentence that ends, or none.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "threads/thread_summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct summary s = {0};

    if (thread_summary(data, size, &s) == 0)
        assert(*s.sentence && memchr(s.sentence, '\0', sizeof(s.sentence)) && s.top_count == 0);
    else
        assert(!*s.sentence);
    return 0;
}
