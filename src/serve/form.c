/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Fields by name.
 */
#include "serve/form.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"

static int decode(const char *value, size_t size, char *out, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)value[i];

        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%') {
            if (size - i < 3 || !isxdigit((unsigned char)value[i + 1]) || !isxdigit((unsigned char)value[i + 2]))
                return -EINVAL;
            text_unhex((const char[]){value[i + 1], value[i + 2], '\0'}, &byte, 1);
            i += 2;
        }
        if (byte < ' ' || byte == 0x7f)
            return -EINVAL;
        if (n + 1 >= room)
            return -EMSGSIZE;
        out[n++] = (char)byte;
    }
    out[n] = '\0';
    return (int)n;
}

int form_field(const char *form, size_t size, const char *name, char *out, size_t room)
{
    size_t length = strlen(name);

    assert(out && room > 0);
    for (size_t at = 0; at < size;) {
        const char *end = memchr(form + at, '&', size - at);
        size_t field = end ? (size_t)(end - form) - at : size - at;

        if (field > length && memcmp(form + at, name, length) == 0 && form[at + length] == '=')
            return decode(form + at + length + 1, field - length - 1, out, room);
        at += field + 1;
    }
    return -ENOENT;
}

int form_cookie(const char *header, const char *name, char *out, size_t room)
{
    size_t length = strlen(name);

    for (const char *at = header; *at;) {
        size_t size;

        at += strspn(at, "; \t");
        size = strcspn(at, ";");
        if (size > length && strncmp(at, name, length) == 0 && at[length] == '=') {
            size_t value = size - length - 1;

            if (value >= room)
                return -EMSGSIZE;
            memcpy(out, at + length + 1, value);
            out[value] = '\0';
            return (int)value;
        }
        at += size;
    }
    return -ENOENT;
}

bool form_is_local_path(const char *text)
{
    if (text[0] != '/' || text[1] == '/')
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '\\')
            return false;
    return true;
}
