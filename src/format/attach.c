/* SPDX-License-Identifier: Apache-2.0
 *
 * The attach protocol's framing.
 */
#include "format/attach.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

static int add_word(struct buf *b, const char *word)
{
    size_t size = strlen(word) + 1;

    return size > ATTACH_WORD_MAX ? -E2BIG : buf_add(b, word, size);
}

int attach_request(struct buf *ret, const char *command, const char *const args[ATTACH_ARGS])
{
    size_t before = ret->size;
    int r = add_word(ret, "1");

    if (r == 0)
        r = add_word(ret, command);
    for (int i = 0; i < ATTACH_ARGS && r == 0; i++)
        r = add_word(ret, args[i] ? args[i] : "");
    if (r < 0)
        ret->size = before;
    return r;
}

int attach_answer(const char *data, size_t size, int *ret_result, size_t *ret_text)
{
    size_t at = size > 0 && data[0] == '-', digits = 0;
    int result = 0;

    for (; at < size && data[at] >= '0' && data[at] <= '9'; at++, digits++) {
        if (__builtin_mul_overflow(result, 10, &result) || __builtin_add_overflow(result, data[at] - '0', &result))
            return -EBADMSG;
    }
    if (digits == 0 || at == size || data[at] != '\n')
        return -EBADMSG;
    *ret_result = data[0] == '-' ? -result : result;
    *ret_text = at + 1;
    return 0;
}
