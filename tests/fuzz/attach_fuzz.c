/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an answer of a JVM: a result that is accepted stands before a newline, and the text is what is behind.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "format/attach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *word = strndup((const char *)data, size);
    CLEANUP(buf_done) struct buf b = {0};
    int result;
    size_t text;

    assert(word);
    if (attach_answer((const char *)data, size, &result, &text) == 0)
        assert(text >= 2 && text <= size && data[text - 1] == '\n' && !memchr(data, '\n', text - 1));
    if (attach_request(&b, word, (const char *[ATTACH_ARGS]){word, NULL, word}) == 0)
        assert(b.size == 2 + 3 * (strlen(word) + 1) + 1);
    else
        assert(strlen(word) >= ATTACH_WORD_MAX && b.size == 0);
    return 0;
}
