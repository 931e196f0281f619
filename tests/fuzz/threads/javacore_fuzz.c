/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the beginning of a javacore: texts that end, and a cause that may stand in a key.
 */
#include "../origin_check.h"
#include "threads/javacore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct origin o = {0};

    javacore_origin((const char *)data, size, &o);
    origin_check(&o);
    return 0;
}
