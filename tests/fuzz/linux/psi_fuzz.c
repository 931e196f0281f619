/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a pressure file: numbers that a file can hold, or untouched.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linux/psi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup(size ? (const char *)data : "", size);
    struct psi p = {.some.avg10 = -1};

    assert(text);
    if (psi_parse(text, &p) == 0)
        assert(strstr(text, "some avg10=") && p.some.avg10 >= 0 && p.some.avg300 >= 0 && p.full.avg10 >= 0);
    else
        assert(p.some.avg10 < 0);
    return 0;
}
