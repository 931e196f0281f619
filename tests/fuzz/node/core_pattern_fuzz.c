/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a core_pattern: its words are what the kernel would make of it, and bounded.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node/core_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *value_of(void *ctx, char letter)
{
    (void)ctx;
    return letter == 'x' ? NULL : "1234 5";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), made[CORE_PATTERN_MAX], home[CORE_PATTERN_MAX];
    struct strv words = {0};

    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (core_pattern_expand(text, value_of, NULL, &words) == 0) {
        assert(words.count > 0 && words.item[0][0] == '/' && core_pattern_is_pipe(text));
        assert(words.count <= size);
    }
    if (core_pattern_pipe(text, made) == 0)
        assert(strlen(made) < CORE_PATTERN_MAX && core_pattern_is_pipe(made));
    if (core_pattern_home(text, home))
        assert(home[0] == '/' && (*text == '|' || *text == '@') && strstr(text, home));
    strv_done(&words);
    free(text);
    return 0;
}
