/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the beginning of a crash log: texts that end, and a cause that may stand in a key.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "threads/hserr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct origin o = {0};

    hserr_origin((const char *)data, size, &o);
    assert(strnlen(o.cause, sizeof(o.cause)) < sizeof(o.cause));
    assert(strspn(o.cause, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(o.cause));
    assert(strnlen(o.detail, sizeof(o.detail)) < sizeof(o.detail));
    assert(strnlen(o.time, sizeof(o.time)) < sizeof(o.time));
    assert(strnlen(o.file, sizeof(o.file)) < sizeof(o.file));
    assert(strnlen(o.jvm, sizeof(o.jvm)) < sizeof(o.jvm));
    assert(strnlen(o.command, sizeof(o.command)) < sizeof(o.command));
    return 0;
}
