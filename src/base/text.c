/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing, hex, UTF-8, printable copies, similar words. Numbers: text_number.c.
 */
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

bool text_eq(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

bool text_starts(const char *text, const char *prefix)
{
    return text && prefix && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t length, end;

    if (!text || !suffix)
        return false;
    length = strlen(text);
    end = strlen(suffix);
    return end <= length && strcmp(text + length - end, suffix) == 0;
}

const char *text_behind(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (; text; text = strchr(text, '\n')) {
        text += *text == '\n';
        if (strncmp(text, name, length) == 0)
            return text + length;
    }
    return NULL;
}

size_t text_size_without_slashes(const char *path)
{
    size_t size = strlen(path);

    while (size > 0 && path[size - 1] == '/')
        size--;
    return size;
}

const char *text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void text_hex(const void *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int text_unhex(const char *hex, void *out, size_t size)
{
    unsigned char *bytes = out;
    size_t digits = 0;

    if (!hex)
        return -EINVAL;
    while (hex_value(hex[digits]) >= 0)
        digits++;
    if (hex[digits] || digits % 2 || digits / 2 != size)
        return -EINVAL;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
    return 0;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t text_utf8_length(const char *text, size_t size)
{
    unsigned char first, second, low = 0x80, high = 0xbf;
    size_t length;

    if (size == 0)
        return 0;
    first = (unsigned char)text[0];
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size < length)
        return 0;
    /* The second byte shows overlong forms, surrogates and code points beyond U+10FFFF. */
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    second = (unsigned char)text[1];
    if (second < low || second > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (!is_continuation(text[i]))
            return 0;
    return length;
}

/* The code point of a well-formed character. */
static unsigned code_point(const char *text, size_t length)
{
    const unsigned char *c = (const unsigned char *)text;
    unsigned code = length == 1 ? c[0] : c[0] & (0x7fu >> length);

    for (size_t i = 1; i < length; i++)
        code = code << 6 | (c[i] & 0x3fu);
    return code;
}

unsigned text_control(const char *text, size_t length)
{
    static const struct {
        unsigned first, last;
    } ranges[] = {
        {0x01, 0x1f},       {0x7f, 0x9f},                       /* C0, DEL, C1 */
        {0x61c, 0x61c},     {0x200e, 0x200f}, {0x2028, 0x202e}, /* marks, separators, overrides */
        {0x2066, 0x2069},   {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, /* isolates, byte order, annotations */
        {0xe0000, 0xe007f},                                     /* tags, which can't be seen */
    };
    unsigned code = code_point(text, length);

    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return code;
    return 0;
}

/* Whether more bytes could complete a character. */
static bool may_go_on(const char *begun, size_t size)
{
    static const char rest[] = {'\x80', '\xbf'};

    for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
        char whole[4];

        memset(whole, rest[i], sizeof(whole));
        memcpy(whole, begun, size);
        if (text_utf8_length(whole, sizeof(whole)) > size)
            return true;
    }
    return false;
}

static bool may_be_shown(const char *character, size_t length)
{
    return *character == '\n' || *character == '\t' || (*character && text_control(character, length) == 0);
}

size_t text_screen(struct text_screen *s, const char *text, size_t size, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        s->held[s->held_size++] = text[i];
        while (s->held_size > 0) {
            size_t length = text_utf8_length(s->held, s->held_size);

            if (length == 0 && may_go_on(s->held, s->held_size))
                break;
            if (length > 0 && may_be_shown(s->held, length)) {
                memcpy(out + used, s->held, length);
                used += length;
            } else {
                out[used++] = '?';
            }
            length = length > 0 ? length : 1;
            s->held_size -= length;
            memmove(s->held, s->held + length, s->held_size);
        }
    }
    return used;
}

const char *text_printable(const char *text, char *out, size_t size)
{
    size_t left = strlen(text), used = 0, cut = 0; /* cut: where "..." still fits */

    if (size == 0)
        return out;
    while (left > 0) {
        size_t length = text_utf8_length(text, left), step = length ? length : 1;
        bool replaced = length == 0 || text_control(text, length) != 0;
        size_t written = replaced ? 1 : length;

        if (used + written >= size) {
            if (size > 3)
                memcpy(out + cut, "...", 3);
            used = size > 3 ? cut + 3 : used;
            break;
        }
        if (replaced)
            out[used] = '?';
        else
            memcpy(out + used, text, length);
        used += written;
        if (used + 3 < size)
            cut = used;
        text += step;
        left -= step;
    }
    out[used] = '\0';
    return out;
}

unsigned text_distance(const char *a, const char *b)
{
    unsigned row[TEXT_FAR + 1];
    size_t a_size = strlen(a), b_size = strlen(b);

    if (a_size > TEXT_FAR || b_size > TEXT_FAR)
        return TEXT_FAR;
    for (unsigned j = 0; j <= b_size; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_size; i++) {
        unsigned corner = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= b_size; j++) {
            unsigned change = corner + (a[i - 1] != b[j - 1]), least = row[j] < row[j - 1] ? row[j] : row[j - 1];

            corner = row[j];
            row[j] = change <= least ? change : least + 1;
        }
    }
    return row[b_size];
}

const char *text_nearest(const char *word, const char *const *names)
{
    unsigned best = 2 + (unsigned)strlen(word) / 4;
    const char *found = NULL;

    for (; *word && *names; names++) {
        unsigned far = text_starts(*names, word) ? 0 : text_distance(word, *names);

        /* A word that has nothing in common with the name is not a typing error. */
        if (far < best && far < strlen(*names)) {
            best = far;
            found = *names;
        }
    }
    return found;
}
