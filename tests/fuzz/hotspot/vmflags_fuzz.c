/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a JVM's answer: what is found of an option lies within them, on one line, and has no blank behind it.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "hotspot/vmflags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_within(const char *part, size_t length, const char *text, size_t size)
{
    assert(part >= text && part + length <= text + size && !memchr(part, '\n', length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"HeapDumpPath", "A", ""};
    const char *text = (const char *)data;
    struct vmflag f;

    for (unsigned i = 0; size > 0 && i < 3; i++) {
        if (!vmflags_find(text, size, names[i], &f))
            continue;
        is_within(f.value, f.size, text, size);
        assert(f.size == 0 || f.value[f.size - 1] != ' ');
        if (f.origin)
            is_within(f.origin, f.origin_size, text, size);
    }
    return 0;
}
