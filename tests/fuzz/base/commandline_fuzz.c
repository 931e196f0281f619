/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a command line: the words together are no longer than it, and a word in quotes comes back as it was.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/commandline.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_quoted(const char *text)
{
    CLEANUP(strv_done) struct strv words = {0};
    CLEANUP(buf_done) struct buf quoted = {0};

    if (strchr(text, '\''))
        return;
    assert(buf_printf(&quoted, "'%s'", text) == 0);
    assert(commandline_split(buf_text(&quoted), &words) == 0);
    assert(words.count == 1 && strcmp(words.item[0], text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strv_done) struct strv words = {0};
    CLEANUP_FREE char *text = calloc(1, size + 1);
    size_t total = 0;

    assert(text);
    memcpy(text, data, size);
    commandline_split(text, &words);
    for (size_t i = 0; i < words.count; i++)
        total += strlen(words.item[i]);
    assert(total <= strlen(text));
    check_quoted(text);
    return 0;
}
