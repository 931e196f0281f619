/* SPDX-License-Identifier: Apache-2.0
 *
 * Any line as one of maps or smaps: what is found lies in it, and what is no mapping is left as it was.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linux/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *line = malloc(size + 1), *before = malloc(size + 1);
    struct maps_line m;
    uint64_t bytes = 0;
    unsigned flags;

    assert(line && before);
    if (size > 0)
        memcpy(line, data, size);
    line[size] = '\0';
    memcpy(before, line, size + 1);
    if (maps_flags(line, &flags))
        assert(flags < 2 * MAPS_HUGETLB);
    assert(!maps_size(line, "Rss", &bytes) || bytes % 1024 == 0);
    if (!maps_parse(line, &m)) {
        assert(memcmp(line, before, size + 1) == 0);
        return 0;
    }
    assert(m.start < m.end && m.protection <= (MAPS_READ | MAPS_WRITE | MAPS_EXECUTE));
    assert(m.path > line && m.path <= line + size && strlen(m.path) <= strlen(before));
    assert(!maps_is_deleted(&m) || *m.path == '/');
    return 0;
}
