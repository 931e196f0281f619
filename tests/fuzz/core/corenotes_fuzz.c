/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a core: its notes are looked for, and what lies there is read.
 */
#include "../origin_check.h"
#include "core/corenotes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct origin o = {0};
    uint64_t at = 0, notes = 0;

    if (corenotes_find(data, size, &at, &notes) < 0 || at > size)
        return 0;
    corenotes_origin(data, size, data + at, notes < size - at ? (size_t)notes : size - (size_t)at, &o);
    origin_check(&o);
    return 0;
}
