/* SPDX-License-Identifier: Apache-2.0
 *
 * Any pod's name: the workload is its beginning, and not empty unless the name is.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "place/workload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *pod = strndup((const char *)data, size);
    char workload[WORKLOAD_MAX];

    assert(pod && workload_of_pod(pod, workload) == workload);
    assert(strncmp(pod, workload, strlen(workload)) == 0 && (*workload || !*pod));
    return 0;
}
