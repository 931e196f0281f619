/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of columns. A value may contain anything, braces too: so kind and origin are read from the end of the line.
 */
#include "hotspot/vmflags.h"

#include <string.h>

/* Bytes, not a string. */
struct span {
    const char *text;
    size_t size;
};

static void skip_blanks(struct span *s)
{
    while (s->size > 0 && *s->text == ' ') {
        s->text++;
        s->size--;
    }
}

static void cut_blanks(struct span *s)
{
    while (s->size > 0 && s->text[s->size - 1] == ' ')
        s->size--;
}

static bool is_text(const char *data, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(data, text, size) == 0;
}

static struct span next_word(struct span *s)
{
    struct span word;

    skip_blanks(s);
    word = *s;
    while (s->size > 0 && *s->text != ' ') {
        s->text++;
        s->size--;
    }
    word.size -= s->size;
    return word;
}

/* Cuts a "{…}" off the end of s; *ret is its content. False if there is none. */
static bool cut_group(struct span *s, struct span *ret)
{
    const char *open;

    if (s->size == 0 || s->text[s->size - 1] != '}' || !(open = memrchr(s->text, '{', s->size)))
        return false;
    *ret = (struct span){open + 1, (size_t)(s->text + s->size - open) - 2};
    s->size = (size_t)(open - s->text);
    cut_blanks(s);
    return true;
}

static bool read_line(struct span line, const char *name, struct vmflag *ret)
{
    struct span word, last = {NULL, 0}, before;
    struct vmflag f = {0};

    next_word(&line);
    word = next_word(&line);
    if (!is_text(word.text, word.size, name))
        return false;
    word = next_word(&line);
    if (!is_text(word.text, word.size, "=") && !is_text(word.text, word.size, ":="))
        return false;
    skip_blanks(&line);
    cut_blanks(&line);
    f.value = line.text;
    if (is_text(word.text, word.size, ":=") || !cut_group(&line, &last)) {
        cut_group(&line, &last);
        last = (struct span){NULL, 0};
    } else if (!cut_group(&line, &before)) {
        last = (struct span){NULL, 0}; /* JDK 8, option not set: the group is the kind */
    }
    f.size = line.size;
    f.origin = last.text;
    f.origin_size = last.size;
    *ret = f;
    return true;
}

bool vmflags_find(const char *text, size_t size, const char *name, struct vmflag *ret)
{
    for (const char *end = text + size, *at = text; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;

        if (read_line((struct span){at, (size_t)(stop - at)}, name, ret))
            return true;
        at = newline ? newline + 1 : end;
    }
    return false;
}

bool vmflags_is(const struct vmflag *f, const char *value)
{
    return is_text(f->value, f->size, value);
}

bool vmflags_set_by(const struct vmflag *f, const char *origin)
{
    return f->origin && is_text(f->origin, f->origin_size, origin);
}
