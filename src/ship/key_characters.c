/* SPDX-License-Identifier: Apache-2.0
 *
 * What is awkward in a key, a path or a URL becomes '_'.
 */
#include "ship/key_characters.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool key_keeps(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("._-+@=,", c));
}

/* Size of the character at text if it has several bytes, is well-formed, no control character (U+0080 to U+009F), and
 * allowed in XML (not U+FFFE, U+FFFF): a store that lists its keys in XML can't list others. Else 0. */
static size_t long_character(const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n = p[0] >= 0x80 ? text_utf8_length(text, size) : 0;

    if ((n == 2 && p[0] == 0xC2 && p[1] < 0xA0) || (n == 3 && p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE))
        return 0;
    return n;
}

bool key_is_clean(const char *text)
{
    for (size_t n; *text; text += n) {
        n = (unsigned char)*text >= ' ' && (unsigned char)*text < 0x7F ? 1 : long_character(text, strnlen(text, 4));
        if (n == 0)
            return false;
    }
    return true;
}

bool key_only_dots(const char *text, size_t size)
{
    return (size == 1 && text[0] == '.') || (size == 2 && text[0] == '.' && text[1] == '.');
}

/* One part of a value, made fit for a key. out: at least size bytes; returns how many are used. */
static size_t sanitise_part(const char *text, size_t size, char *out)
{
    size_t done = 0;

    while (done < size) {
        size_t n = long_character(text + done, size - done);

        if (n > 0)
            memcpy(out + done, text + done, n);
        else
            out[done] = key_keeps(text[done]) ? text[done] : '_';
        done += n > 0 ? n : 1;
    }
    if (key_only_dots(out, size))
        memset(out, '_', size);
    return size;
}

char *key_value(const char *value, bool slashes)
{
    static const char none[] = "none";
    const char *text = value ? value : "";
    char *out = malloc(strlen(text) + sizeof(none));
    size_t size = 0, part;

    if (!out)
        return NULL;
    for (; *text; text += part) {
        part = slashes ? strcspn(text, "/") : strlen(text);
        if (part == 0) { /* at a slash */
            part = 1;
            continue;
        }
        if (size > 0)
            out[size++] = '/';
        size += sanitise_part(text, part, out + size);
    }
    if (size == 0)
        memcpy(out, none, size = strlen(none));
    out[size] = '\0';
    return out;
}
