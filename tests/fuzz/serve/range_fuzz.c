/* SPDX-License-Identifier: Apache-2.0
 *
 * Any Range header: ranges that lie within the size, and together are no longer than it.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole = size > 0 ? data[0] : 0;
    CLEANUP_FREE char *text = strndup(size > 0 ? (const char *)data + 1 : "", size > 0 ? size - 1 : 0);
    struct ranges r;
    uint64_t bytes = 0;

    assert(text);
    if (whole > 200)
        whole = UINT64_MAX - (255 - whole);
    if (range_parse(text, whole, &r) != RANGE_SOME)
        return 0;
    assert(r.count > 0 && r.count <= RANGES_MAX);
    for (unsigned i = 0; i < r.count; i++) {
        assert(r.range[i].size > 0 && r.range[i].first < whole && r.range[i].size <= whole - r.range[i].first);
        bytes += r.range[i].size;
    }
    assert(bytes <= whole);
    return 0;
}
