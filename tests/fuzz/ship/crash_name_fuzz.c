/* SPDX-License-Identifier: Apache-2.0
 *
 * Any file name: what is read is printed as the same.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ship/crash_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = malloc(size + 1), again[CRASH_FILE_NAME_MAX], plain[CRASH_FILE_NAME_MAX];
    struct crash_name n;
    enum crash_file which;

    assert(name);
    memcpy(name, data, size);
    name[size] = '\0';
    if (crash_name_read(name, &n, &which)) {
        crash_name_print(&n, which, again);
        assert(strcmp(again, name) == 0);
        crash_name_plain(&n, which, plain);
        assert(*plain && !strchr(plain, '/') && n.signal >= 0 && n.time_ms >= 0);
    }
    free(name);
    return 0;
}
