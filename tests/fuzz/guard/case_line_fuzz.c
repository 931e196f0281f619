/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a line of a guard's history: what is read fits its fields, and written anew it is the same.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "guard/case_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_done) struct buf written = {0};
    struct case_line once, again;

    if (case_line_decode((const char *)data, size, &once) < 0)
        return 0;
    assert(once.what < CASE_LINE_KINDS && *once.key && once.wall_ms >= 0);
    assert(memchr(once.key, '\0', sizeof(once.key)) && memchr(once.tenant, '\0', sizeof(once.tenant)) &&
           memchr(once.boot, '\0', sizeof(once.boot)));
    assert(case_line_encode(&once, &written) == 0);
    assert(memchr(written.data, '\n', written.size) == written.data + written.size - 1);
    assert(case_line_decode(written.data, written.size - 1, &again) == 0);
    assert(once.what == again.what && once.mono_ms == again.mono_ms && once.wall_ms == again.wall_ms);
    assert(!strcmp(once.key, again.key) && !strcmp(once.tenant, again.tenant) && !strcmp(once.boot, again.boot));
    return 0;
}
