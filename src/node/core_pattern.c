/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Follows format_corename of the kernel's fs/coredump.c.
 */
#include "node/core_pattern.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/handler_protocol.h"

enum { WORD_MAX = 8192 };

int core_pattern_pipe(const char *program, char ret[CORE_PATTERN_MAX])
{
    if (program[strcspn(program, "% \t\n\v\f\r")])
        return -EINVAL;
    if (snprintf(ret, CORE_PATTERN_MAX, "|%s %s %s", program, HANDLER_COMMAND, HANDLER_SPECIFIERS) >= CORE_PATTERN_MAX)
        return -ENAMETOOLONG;
    return 0;
}

bool core_pattern_is_pipe(const char *pattern)
{
    return *pattern == '|';
}

bool core_pattern_home(const char *pattern, char ret[CORE_PATTERN_MAX])
{
    static const char handler[] = "/salvage " HANDLER_COMMAND " ", socket[] = "/socket";
    const char *path = pattern + (*pattern == '|' ? 1 : strspn(pattern, "@"));
    const char *end = *pattern == '|' ? strstr(path, handler) : path + strlen(path) - strlen(socket);

    if (path == pattern || *path != '/' || !end || end <= path || end - path >= CORE_PATTERN_MAX ||
        (*pattern != '|' && !text_eq(end, socket)))
        return false;
    snprintf(ret, CORE_PATTERN_MAX, "%.*s", (int)(end - path), path);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int add_word(const char *word, size_t size, const char *(*value_of)(void *, char), void *ctx, struct strv *to)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = WORD_MAX};
    int r = 0;

    for (size_t i = 0; i < size && r == 0; i++) {
        const char *value;

        if (word[i] != '%')
            r = buf_add(&text, word + i, 1);
        else if (++i == size)
            break; /* a single % at the end is dropped */
        else if (word[i] == '%')
            r = buf_add(&text, "%", 1);
        else if ((value = value_of(ctx, word[i])))
            r = buf_add_text(&text, value);
    }
    return r < 0 ? r : strv_add(to, buf_text(&text));
}

int core_pattern_expand(const char *pattern, const char *(*value_of)(void *ctx, char letter), void *ctx,
                        struct strv *ret)
{
    CLEANUP(strv_done) struct strv words = {0};
    const char *at = pattern + 1;
    int r = 0;

    if (!core_pattern_is_pipe(pattern) || *at != '/')
        return -EINVAL;
    while (r == 0) {
        size_t size = 0;

        while (is_blank(*at))
            at++;
        while (at[size] && !is_blank(at[size]))
            size++;
        if (size == 0)
            break;
        r = add_word(at, size, value_of, ctx, &words);
        at += size;
    }
    if (r < 0)
        return r;
    *ret = words;
    words = (struct strv){0};
    return 0;
}
