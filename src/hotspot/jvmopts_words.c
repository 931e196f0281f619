/* SPDX-License-Identifier: Apache-2.0
 *
 * The four syntaxes of jvmopts.h: splits text into words, by HotSpot's and the launcher's rules to the letter.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "hotspot/jvmopts.h"

/* isspace(3) in the C locale. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

enum { NO_CHARACTER = UCHAR_MAX + 1 };

/* Adds the word at text without its quotes; returns its end. stop ends it even in quotes. An open quote ends with the
 * text: the JVM would not have started. */
static const char *unquote(const char *text, const char *end, int stop, struct buf *word, int *ret)
{
    char quote = 0;

    for (; text < end && (unsigned char)*text != stop && (quote || !is_space(*text)) && *ret == 0; text++) {
        if (quote ? *text == quote : (*text == '\'' || *text == '"'))
            quote = quote ? 0 : *text;
        else
            *ret = buf_add(word, text, 1);
    }
    return text;
}

static int each_variable(const char *text, const char *end, int (*fn)(void *ctx, const char *option), void *ctx)
{
    CLEANUP(buf_done) struct buf word = {0};
    int r = 0;

    for (;;) {
        while (text < end && is_space(*text))
            text++;
        if (text == end)
            return 0;
        buf_clear(&word);
        text = unquote(text, end, NO_CHARACTER, &word, &r);
        if (r < 0 || (r = fn(ctx, buf_text(&word))) < 0)
            return r;
    }
}

/* A token of an @argfile at text. A comment may begin anywhere outside quotes, and discards the word that it touches; a
 * newline ends a word even in quotes, unless it is escaped, and then leading white space of the next line is dropped.
 * The end of the file ends a word. *ret_any: there was a word, which may be "". */
static const char *next_token(const char *text, const char *end, struct buf *word, bool *ret_any, int *ret)
{
    static const char escapes[] = "n\nr\rt\tf\f";
    char quote = 0;

    *ret_any = false;
    for (; text < end && *ret == 0; text++) {
        if (*text == '\n' || *text == '\r' || (!quote && (*text == ' ' || *text == '\t' || *text == '\f'))) {
            if (*ret_any)
                return text + 1;
        } else if (!quote && *text == '#') {
            while (text < end && *text != '\n' && *text != '\r')
                text++;
            buf_clear(word);
            *ret_any = false;
            if (text == end)
                return text;
        } else if (quote && *text == '\\' && text + 1 < end) {
            const char *escape;

            text++;
            if (*text == '\n' || *text == '\r') {
                while (text + 1 < end && strchr(" \n\r\t\f", text[1]) && text[1])
                    text++;
                continue;
            }
            escape = strchr("nrtf", *text) && *text ? strchr(escapes, *text) + 1 : text;
            *ret = buf_add(word, escape, 1);
        } else if (quote ? *text == quote : (*text == '\'' || *text == '"')) {
            quote = quote ? 0 : *text;
            *ret_any = true;
        } else {
            *ret = buf_add(word, text, 1);
            *ret_any = true;
        }
    }
    return text;
}

static int each_argfile(const char *text, const char *end, int (*fn)(void *ctx, const char *option), void *ctx)
{
    CLEANUP(buf_done) struct buf word = {0};
    int r = 0;

    while (text < end) {
        bool any;

        buf_clear(&word);
        text = next_token(text, end, &word, &any, &r);
        if (r == 0 && any)
            r = fn(ctx, buf_text(&word));
        if (r < 0)
            return r;
    }
    return 0;
}

/* A word of a flags file: quotes count only after its first character, and a newline ends it even in quotes. */
static const char *next_flag(const char *text, const char *end, struct buf *word, int *ret)
{
    *ret = buf_add(word, text++, 1);
    return unquote(text, end, '\n', word, ret);
}

static int each_flag(const char *text, const char *end, int (*fn)(void *ctx, const char *option), void *ctx)
{
    CLEANUP(buf_done) struct buf word = {0};
    int r;

    for (;;) {
        while (text < end && (is_space(*text) || *text == '#')) {
            const char *line = *text == '#' ? memchr(text, '\n', (size_t)(end - text)) : text;

            text = line ? line + 1 : end;
        }
        if (text == end)
            return 0;
        buf_clear(&word);
        if ((r = buf_add_text(&word, "-XX:")) < 0)
            return r;
        text = next_flag(text, end, &word, &r);
        if (r < 0 || (r = fn(ctx, buf_text(&word))) < 0)
            return r;
    }
}

int jvmopts_each_word(enum jvmopts_grammar grammar, const char *text, size_t size,
                      int (*fn)(void *ctx, const char *option), void *ctx)
{
    const char *end = text + (text ? strnlen(text, size) : 0);

    if (grammar == JVMOPTS_ARGFILE)
        return each_argfile(text, end, fn, ctx);
    return grammar == JVMOPTS_FLAGS ? each_flag(text, end, fn, ctx) : each_variable(text, end, fn, ctx);
}

int jvmopts_each(const char *options, int (*fn)(void *ctx, const char *option), void *ctx)
{
    return each_variable(options, options + strlen(options), fn, ctx);
}

char *jvmopts_without(const char *options, bool (*drop)(const char *option))
{
    CLEANUP(buf_done) struct buf word = {0};
    CLEANUP(buf_done) struct buf kept = {.ceiling = SIZE_MAX};
    const char *text = options, *end = options + strlen(options);
    int r = 0;

    while (text < end && r == 0) {
        const char *begin = text;

        while (text < end && is_space(*text))
            text++;
        buf_clear(&word);
        text = unquote(text, end, NO_CHARACTER, &word, &r);
        /* The white space before a word is dropped with it. */
        if (r == 0 && !drop(buf_text(&word)))
            r = buf_add(&kept, begin, (size_t)(text - begin));
    }
    return r < 0 ? NULL : buf_take(&kept);
}
