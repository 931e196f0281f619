/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the beginning of a crash log: texts that end, and a cause that may stand in a key.
 */
#include "../origin_check.h"
#include "threads/hserr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct origin o = {0};
    struct summary s = {0};

    hserr_origin((const char *)data, size, &o);
    origin_check(&o);
    if (hserr_summary(data, size, &s) == 0)
        assert(memchr(s.sentence, '\0', sizeof(s.sentence)));
    return 0;
}
