/* SPDX-License-Identifier: Apache-2.0
 *
 * Any JSON as the classes of a summary: what is accepted is written and read again as the same.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json_read.h"
#include "base/summary_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *root = json_read_object((const char *)data, size, 64 * 1024), *rows = NULL;
    struct summary_row row[SUMMARY_ROWS_MAX] = {0}, again[SUMMARY_ROWS_MAX] = {0};
    unsigned count = 0, count_again = 0;

    if (summary_rows_decode(json_object_get(root, "top"), row, SUMMARY_ROWS_MAX, &count) < 0)
        return 0;
    assert(count <= SUMMARY_ROWS_MAX);
    assert(summary_rows_encode(row, count, &rows) == (count > 0));
    if (count == 0)
        return 0;
    assert(summary_rows_decode(rows, again, SUMMARY_ROWS_MAX, &count_again) == 0 && count_again == count);
    for (unsigned i = 0; i < count; i++)
        assert(strcmp(row[i].name, again[i].name) == 0 && row[i].count == again[i].count &&
               row[i].bytes == again[i].bytes);
    return 0;
}
