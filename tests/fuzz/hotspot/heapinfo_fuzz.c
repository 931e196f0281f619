/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as an answer to GC.heap_info: lines add up, whatever they are.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/heapinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char more[] = "\nheap, used 1K\n";
    CLEANUP_FREE char *text = malloc(size + sizeof(more));
    uint64_t bytes = 4711, sum = 0;

    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (heapinfo_used(text, &bytes) < 0) {
        assert(bytes == 4711);
        bytes = 0;
    }
    memcpy(text + strlen(text), more, sizeof(more));
    assert(heapinfo_used(text, &sum) == 0);
    assert(sum == (bytes < UINT64_MAX - 1024 ? bytes + 1024 : UINT64_MAX));
    return 0;
}
