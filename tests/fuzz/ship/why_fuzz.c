/* SPDX-License-Identifier: Apache-2.0
 *
 * Any record and any manifest: one line of printable UTF-8 that ends with a full stop.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *sentence)
{
    size_t size = strlen(sentence);

    assert(size > 0 && size < WHY_MAX && sentence[size - 1] == '.');
    for (size_t at = 0, step; at < size; at += step) {
        step = text_utf8_length(sentence + at, size - at);
        assert(step > 0 && text_control(sentence + at, step) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    struct manifest m = {0};
    struct why_kill kill = {0};
    char out[WHY_MAX];
    const char *rest;

    assert(text);
    why_read_kill((const char *)data, size, &kill);
    check(why_sentence_of_kill(&m, &kill, out));
    rest = strchr(text, '\n');
    m.cause = text;
    m.kind = m.where.container = m.origin.detail = rest ? strchr(text, '\n') + 1 : text;
    check(why_sentence(&m, out));
    if (rest)
        text[rest - text] = '\0';
    check(why_sentence(&m, out));
    check(why_sentence_of_kill(&m, &kill, out));
    return 0;
}
