/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts in their five encodings (jdk.jfr.internal.consumer.StringParser).
 */
#include "jfr/jfr_bytes.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

struct jfr_text jfr_text_read(struct jfr_cursor *c)
{
    struct jfr_text t = {.encoding = (enum jfr_encoding)jfr_fixed(c, 1)};
    uint64_t count;

    switch (t.encoding) {
    case JFR_NULL:
    case JFR_EMPTY:
        return t;
    case JFR_CONSTANT:
        t.key = jfr_number(c, 8);
        return t;
    case JFR_UTF8:
    case JFR_CHARS:
    case JFR_LATIN1:
        break;
    default:
        c->bad = true;
        return (struct jfr_text){0};
    }
    count = jfr_number(c, 4);
    t.at = c->p;
    if (count > (uint64_t)(c->end - c->p)) {
        c->bad = true;
        return (struct jfr_text){0};
    }
    if (t.encoding == JFR_CHARS)
        for (uint64_t i = 0; i < count && !c->bad; i++)
            jfr_number(c, 2);
    else
        c->p += count;
    t.size = (size_t)(c->p - t.at);
    return t;
}

static size_t put_character(char *out, size_t room, unsigned c)
{
    if (c >= 0xD800 && c < 0xE000) /* one half of a character beyond 16 bits */
        c = '?';
    if (c < 0x80 && room >= 1) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800 && room >= 2) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c >= 0x800 && room >= 3) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    return 0;
}

static size_t copy_utf8(const struct jfr_text *t, char *out, size_t room)
{
    const char *text = (const char *)t->at;
    size_t at = 0, used = 0, n;

    for (; at < t->size && text[at]; at += n) {
        size_t length = text_utf8_length(text + at, t->size - at);

        n = length ? length : 1;
        if (used + n > room)
            break;
        if (length)
            memcpy(out + used, text + at, n);
        else
            out[used] = '?';
        used += n;
    }
    return used;
}

const char *jfr_text_copy(const struct jfr_text *t, bool compressed, char *out, size_t size)
{
    struct jfr_cursor c = {.p = t->at, .end = t->at ? t->at + t->size : NULL, .compressed = compressed};
    size_t used = 0, n = 1;

    assert(t && out && size > 0);
    if (t->encoding == JFR_UTF8 && t->at)
        used = copy_utf8(t, out, size - 1);
    else if (t->size > 0)
        while (c.p < c.end && n > 0) {
            unsigned one = (unsigned)(t->encoding == JFR_CHARS ? jfr_number(&c, 2) : jfr_fixed(&c, 1)) & 0xFFFF;

            used += n = one ? put_character(out + used, size - 1 - used, one) : 0;
        }
    out[used] = '\0';
    return out;
}

bool jfr_text_is(const struct jfr_text *t, const char *word)
{
    size_t size = strlen(word);

    if (t->size == size)
        return memcmp(t->at, word, size) == 0;
    if (t->encoding != JFR_CHARS || t->size != 2 * size) /* of a chunk that is not compressed */
        return false;
    for (size_t i = 0; i < size; i++)
        if (t->at[2 * i] != 0 || t->at[2 * i + 1] != (unsigned char)word[i])
            return false;
    return true;
}
