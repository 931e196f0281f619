/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a heap snapshot: texts that end, the most bytes first.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "hprof/heap_snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct summary_row row[HEAP_SNAPSHOT_ROWS_MAX];
    struct heap_snapshot found;
    struct summary s = {0};

    if (heap_snapshot_read(data, size, row, HEAP_SNAPSHOT_ROWS_MAX, &found) == 0)
        assert(found.count > 0 && memchr(row[found.count - 1].name, '\0', SUMMARY_NAME_MAX));
    if (heap_snapshot_summary(data, size, &s) < 0)
        return 0;
    assert(*s.sentence && memchr(s.sentence, '\0', sizeof(s.sentence)));
    assert(s.top_count > 0 && s.top_count <= SUMMARY_ROWS_MAX);
    for (unsigned i = 0; i < s.top_count; i++) {
        assert(memchr(s.top[i].name, '\0', sizeof(s.top[i].name)) && s.top[i].bytes > 0);
        assert(i == 0 || s.top[i - 1].bytes >= s.top[i].bytes);
    }
    return 0;
}
