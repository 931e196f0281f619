/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Strict: each text is one of exactly one sequence of bytes.
 */
#include "base/base64url.h"

#include <errno.h>
#include <string.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int base64url_encode(const void *data, size_t size, char *out, size_t room)
{
    const unsigned char *from = data;
    unsigned held = 0, bits = 0;

    if (room <= size / 3 * 4 + (size % 3 ? size % 3 + 1 : 0))
        return -EMSGSIZE;
    for (size_t i = 0; i < size; i++) {
        held = (held & 0x3f) << 8 | from[i];
        for (bits += 8; bits >= 6; bits -= 6)
            *out++ = DIGITS[held >> (bits - 6) & 0x3f];
    }
    if (bits)
        *out++ = DIGITS[held << (6 - bits) & 0x3f];
    *out = '\0';
    return 0;
}

ssize_t base64url_decode(const char *text, size_t size, void *out, size_t room)
{
    unsigned char *to = out;
    unsigned held = 0, bits = 0;

    if (size % 4 == 1)
        return -EINVAL;
    if (size / 4 * 3 + (size % 4 ? size % 4 - 1 : 0) > room)
        return -EMSGSIZE;
    for (size_t i = 0; i < size; i++) {
        const char *digit = text[i] ? strchr(DIGITS, text[i]) : NULL;

        if (!digit)
            return -EINVAL;
        held = (held & 0xff) << 6 | (unsigned)(digit - DIGITS);
        if ((bits += 6) >= 8) {
            bits -= 8;
            *to++ = (unsigned char)(held >> bits);
        }
    }
    if (held & ((1u << bits) - 1))
        return -EINVAL;
    return to - (unsigned char *)out;
}
