/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as any kind of evidence (the first one says which): one printable line, and no more rows than there may be.
 */
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/evidence_summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t max)
{
    size_t size = strnlen(text, max);

    assert(size < max);
    for (size_t at = 0, step; at < size; at += step) {
        step = text_utf8_length(text + at, size - at);
        assert(step > 0 && text_control(text + at, step) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const KINDS[] = {"hs-err", "javacore",         "thread-dump", "class-histogram", "oom-kill",
                                        "core",   "flight-recording", "heap-dump",   "heap-snapshot",   "file"};
    struct summary s;
    int r;

    if (size == 0)
        return 0;
    for (enum content content = CONTENT_OTHER; content <= CONTENT_THREAD_DUMP; content++) {
        r = evidence_summary(KINDS[data[0] % ARRAY_SIZE(KINDS)], content, data + 1, size - 1, &s);
        assert(r == 0 || r == -ENOENT || r == -EBADMSG || r == -ENOMEM);
        if (r < 0)
            continue;
        check(s.sentence, sizeof(s.sentence));
        for (unsigned i = 0; i < s.top_count; i++)
            check(s.top[i].name, sizeof(s.top[i].name));
    }
    return 0;
}
