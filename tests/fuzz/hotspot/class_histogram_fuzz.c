/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as one histogram, and its two halves as two: sorted, sums right, every class in one change.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/class_histogram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(histogram_done) struct histogram before = {0}, after = {0};
    CLEANUP_FREE struct histogram_change *list = NULL;
    size_t count = 0, seen = 0;
    const char *text = (const char *)data;
    struct summary s = {0};

    if (size == 0)
        return 0;
    assert(histogram_read(text, size / 2, &before) == 0);
    assert(histogram_read(text + size / 2, size - size / 2, &after) == 0);
    for (size_t i = 0; i < after.count; i++) {
        assert(*after.row[i].name && strlen(after.row[i].name) < HISTOGRAM_NAME_MAX);
        assert(i == 0 || after.row[i - 1].bytes >= after.row[i].bytes);
    }
    assert(histogram_compare(&before, &after, &list, &count) == 0);
    for (size_t i = 0; i < count; i++)
        seen += (list[i].before != NULL) + (list[i].after != NULL);
    assert(seen == before.count + after.count);
    if (histogram_summary(text, size, &s) == 0)
        assert(s.top_count > 0 && s.top_count <= SUMMARY_ROWS_MAX && strlen(s.top[0].name) < SUMMARY_NAME_MAX);
    return 0;
}
