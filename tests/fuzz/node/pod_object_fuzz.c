/* SPDX-License-Identifier: Apache-2.0
 *
 * Any JSON as a pod of the API: what is read of it is a row that the readers of the table take.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "node/pod_object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *pod = json_read_object((const char *)data, size, 1024 * 1024);
    CLEANUP(pod_row_done) struct pod_row row = {0}, again = {0};
    CLEANUP(strv_done) struct strv annotations = {0};
    CLEANUP(buf_done) struct buf line = {0};
    unsigned left_out;

    assert(strv_add(&annotations, "team") == 0);
    if (!pod || pod_object_read(pod, &annotations, &row, &left_out) < 0)
        return 0;
    assert(pod_row_encode(&row, &line) == 0);
    assert(pod_row_decode(line.data, line.size, &again) == 0);
    assert(again.containers == row.containers && again.labels.count == row.labels.count);
    return 0;
}
