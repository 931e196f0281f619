/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an answer of a JVM: a result that is accepted stands before a newline, and the text is what is behind.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/attach_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *word = strndup((const char *)data, size);
    CLEANUP(buf_done) struct buf b = {0};
    const struct attach_dialect one = {.version = 1}, two = {.version = 2, .streams = true};
    struct attach_dialect said;
    int result;
    size_t text;

    assert(word);
    if (attach_answer((const char *)data, size, &result, &text) == 1)
        assert(text >= 2 && text <= size && data[text - 1] == '\n' && !memchr(data, '\n', text - 1));
    if (attach_request(&b, &one, true, word, (const char *[ATTACH_ARGS]){word, word}) == 0)
        assert(b.size == 2 + 3 * (strlen(word) + 1) + 1);
    else
        assert(strlen(word) >= ATTACH_WORD_MAX && b.size == 0);
    buf_clear(&b);
    if (attach_request(&b, &two, true, word, (const char *[ATTACH_ARGS]){word, word}) == 0)
        assert(b.size > 3 * (strlen(word) + 1));
    else
        assert(b.size == 0);
    attach_versions(word, &said);
    assert(said.version == 1 || said.version == 2);
    assert(!said.streams || said.version == 2);
    return 0;
}
