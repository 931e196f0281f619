/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a notice: what is accepted can be written and read again, and is like itself.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "notify/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(notice_done) struct notice n = {0}, again = {0};
    CLEANUP(buf_done) struct buf text = {.ceiling = (size_t)16 * NOTICE_MAX};
    char more[NOTICE_MORE_MAX];

    if (notice_decode((const char *)data, size, &n, NULL) < 0) {
        assert(!n.id && !n.sentence);
        return 0;
    }
    assert(notice_encode(&n, &text) == 0);
    if (text.size <= NOTICE_MAX)
        assert(notice_decode(text.data, text.size, &again, NULL) == 0 && notice_alike(&n, &again));
    assert(strlen(notice_more(&n, more)) < NOTICE_MORE_MAX);
    return 0;
}
