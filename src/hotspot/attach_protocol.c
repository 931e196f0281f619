/* SPDX-License-Identifier: Apache-2.0
 *
 * The attach protocol's framing.
 */
#include "hotspot/attach_protocol.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/mem.h"

static int add_word(struct buf *b, const char *word, size_t max)
{
    size_t size = strlen(word) + 1;

    return size > max ? -E2BIG : buf_add(b, word, size);
}

static int add_words_v1(struct buf *ret, const char *command, const char *const args[ATTACH_ARGS])
{
    bool ended = false;
    int r = add_word(ret, "1", ATTACH_WORD_MAX);

    if (r == 0)
        r = add_word(ret, command, ATTACH_WORD_MAX);
    for (int i = 0; i < ATTACH_ARGS && r == 0; i++) {
        ended = ended || !args[i];
        r = add_word(ret, ended ? "" : args[i], ATTACH_WORD_MAX);
    }
    return r;
}

static int add_words_v2(struct buf *ret, bool stream, const char *command, const char *const args[ATTACH_ARGS])
{
    CLEANUP(buf_done) struct buf words = {.ceiling = ATTACH_REQUEST_MAX};
    int r = buf_printf(&words, "%s%s", command, stream ? " streaming=1" : "");

    if (r == 0)
        r = buf_add(&words, "", 1);
    for (int i = 0; i < ATTACH_ARGS && args[i] && r == 0; i++)
        r = add_word(&words, args[i], ATTACH_REQUEST_MAX);
    if (r < 0)
        return r == -EMSGSIZE ? -E2BIG : r;
    if ((r = buf_add(ret, "2", 2)) == 0 && (r = buf_printf(ret, "%zu", words.size)) == 0 &&
        (r = buf_add(ret, "", 1)) == 0)
        r = buf_add(ret, words.data, words.size);
    return r;
}

int attach_request(struct buf *ret, const struct attach_dialect *dialect, bool stream, const char *command,
                   const char *const args[ATTACH_ARGS])
{
    assert(dialect->version > 0 && command);
    size_t before = ret->size;
    int r = dialect->version >= 2 ? add_words_v2(ret, stream && dialect->streams, command, args)
                                  : add_words_v1(ret, command, args);

    if (r < 0)
        ret->size = before;
    return r;
}

int attach_answer(const char *data, size_t size, int *ret_result, size_t *ret_text)
{
    size_t at = size > 0 && data[0] == '-', first = at;
    int result = 0;

    for (; at < size && data[at] >= '0' && data[at] <= '9'; at++) {
        if (__builtin_mul_overflow(result, 10, &result) || __builtin_add_overflow(result, data[at] - '0', &result))
            return -EBADMSG;
    }
    if (at == size)
        return at < ATTACH_RESULT_MAX ? 0 : -EBADMSG;
    if (at == first || data[at] != '\n')
        return -EBADMSG;
    *ret_result = data[0] == '-' ? -result : result;
    *ret_text = at + 1;
    return 1;
}

void attach_versions(const char *text, struct attach_dialect *ret)
{
    static const char streaming[] = "streaming";
    const char *found = strstr(text, streaming);
    size_t digits = strspn(text, "0123456789");

    /* A JVM of a version above 2 will have to answer version 2, as those of version 2 answer 1. */
    ret->version = digits > 1 || (digits == 1 && *text >= '2') ? 2 : 1;
    ret->streams = ret->version == 2 && found && found[-1] == ' ' && strchr(" ,\n", found[sizeof(streaming) - 1]);
}
