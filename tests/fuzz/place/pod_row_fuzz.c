/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a row of the table of pods: names that are read are names, and written anew it is read the same.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "place/pod_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(pod_row_done) struct pod_row once = {0}, twice = {0};
    CLEANUP(buf_done) struct buf text = {0}, again = {0};

    if (pod_row_decode((const char *)data, size, &once) < 0)
        return 0;
    assert(*once.uid && *once.namespace && *once.name && !strpbrk(once.namespace, "/\n_") &&
           !strpbrk(once.name, "/\n_"));
    assert(once.containers <= POD_CONTAINERS_MAX && once.labels.count <= POD_LABELS_MAX);
    if (pod_row_encode(&once, &text) < 0) /* escapes may make it longer */
        return 0;
    assert(memchr(text.data, '\n', text.size) == text.data + text.size - 1);
    assert(pod_row_decode(text.data, text.size, &twice) == 0);
    assert(pod_row_encode(&twice, &again) == 0);
    assert(text.size == again.size && memcmp(text.data, again.data, text.size) == 0);
    return 0;
}
