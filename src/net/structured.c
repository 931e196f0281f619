/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The grammar of RFC 9651, 4.2, by descent; each function stands behind what it has read.
 */
#include "net/structured.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { DIGITS_MAX = 15, DECIMAL_DIGITS_MAX = 12, FRACTION_MAX = 3 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_key(char c)
{
    return is_lower(c) || is_digit(c) || (c && strchr("_-.*", c));
}

static bool is_token(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~:/", c));
}

static const char *skip(const char *at, const char *set)
{
    return at + strspn(at, set);
}

/* An integer, or a decimal, which is passed over. */
static const char *read_number(const char *at, struct structured *ret)
{
    bool negative = *at == '-';
    const char *first = at + negative;
    int64_t value = 0;

    for (at = first; is_digit(*at) && at - first < DIGITS_MAX; at++)
        value = value * 10 + (*at - '0');
    if (at == first || is_digit(*at))
        return NULL;
    if (*at != '.') {
        ret->type = STRUCTURED_INTEGER;
        ret->integer = negative ? -value : value;
        return at;
    }
    size_t fraction = strspn(at + 1, "0123456789");
    return at - first <= DECIMAL_DIGITS_MAX && fraction > 0 && fraction <= FRACTION_MAX ? at + 1 + fraction : NULL;
}

static const char *read_string(const char *at)
{
    for (at++; *at >= ' ' && *at < 0x7f && *at != '"'; at++)
        if (*at == '\\' && *++at != '"' && *at != '\\')
            return NULL;
    return *at == '"' ? at + 1 : NULL;
}

static const char *read_bytes(const char *at, struct structured *ret)
{
    const char *end = ++at;

    while (isalnum((unsigned char)*end) || (*end && strchr("+/=", *end)))
        end++;
    if (*end != ':')
        return NULL;
    *ret = (struct structured){.type = STRUCTURED_BYTES, .base64 = at, .base64_size = (size_t)(end - at)};
    return end + 1;
}

static const char *read_boolean(const char *at, struct structured *ret)
{
    if (at[1] != '0' && at[1] != '1')
        return NULL;
    *ret = (struct structured){.type = STRUCTURED_BOOLEAN, .boolean = at[1] == '1'};
    return at + 2;
}

static const char *read_bare(const char *at, struct structured *ret)
{
    *ret = (struct structured){.type = STRUCTURED_OTHER};
    if (*at == '-' || is_digit(*at))
        return read_number(at, ret);
    if (*at == '"')
        return read_string(at);
    if (*at == ':')
        return read_bytes(at, ret);
    if (*at == '?')
        return read_boolean(at, ret);
    if (*at == '*' || isalpha((unsigned char)*at)) {
        while (is_token(*at))
            at++;
        return at;
    }
    return NULL; /* also dates and display strings, which no field of ours has */
}

static const char *read_key(const char *at)
{
    if (!is_lower(*at) && *at != '*')
        return NULL;
    while (is_key(*at))
        at++;
    return at;
}

static const char *skip_parameters(const char *at)
{
    struct structured ignored;

    while (at && *at == ';') {
        at = read_key(skip(at + 1, " "));
        if (at && *at == '=')
            at = read_bare(at + 1, &ignored);
    }
    return at;
}

int structured_item(const char *field, struct structured *ret)
{
    struct structured value;
    const char *at;

    assert(field && ret);
    at = skip_parameters(read_bare(skip(field, " "), &value));
    if (!at || *skip(at, " "))
        return -EBADMSG;
    *ret = value;
    return 0;
}

bool structured_uint(const char *field, uint64_t *ret)
{
    struct structured value;

    if (!field || structured_item(field, &value) < 0 || value.type != STRUCTURED_INTEGER || value.integer < 0)
        return false;
    *ret = (uint64_t)value.integer;
    return true;
}

bool structured_boolean(const char *field, bool *ret)
{
    struct structured value;

    if (!field || structured_item(field, &value) < 0 || value.type != STRUCTURED_BOOLEAN)
        return false;
    *ret = value.boolean;
    return true;
}

/* To the next member: 1, 0 at the end. */
static int to_member(struct structured_reader *r)
{
    const char *at = skip(r->at, r->begun ? " \t" : " ");

    if (r->begun && *at) {
        if (*at != ',')
            return -EBADMSG;
        at = skip(at + 1, " \t");
        if (!*at)
            return -EBADMSG; /* a comma at the end */
    }
    r->begun = true;
    r->at = at;
    return *at != '\0';
}

int structured_next(struct structured_reader *r, const char **key, size_t *key_size, struct structured *ret)
{
    struct structured value = {.type = STRUCTURED_BOOLEAN, .boolean = true}; /* a key alone */
    const char *at;
    int more;

    assert(r && r->at && key && key_size && ret);
    if ((more = to_member(r)) <= 0)
        return more;
    if (!(at = read_key(r->at)))
        return -EBADMSG;
    *key = r->at;
    *key_size = (size_t)(at - r->at);
    if (*at == '=')
        at = read_bare(at + 1, &value);
    if (!(at = skip_parameters(at)))
        return -EBADMSG;
    r->at = at;
    *ret = value;
    return 1;
}

static int base64_digit(char c)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(DIGITS, c) : NULL;

    return at ? (int)(at - DIGITS) : -1;
}

/* Padding may be missing, and bits behind the last byte are not looked at (RFC 9651, 4.2.7). */
int structured_bytes(const struct structured *s, unsigned char *out, size_t size)
{
    size_t digits = s->base64_size, done = 0;
    unsigned bits = 0, held = 0;

    assert(s->type == STRUCTURED_BYTES && out);
    while (digits > 0 && s->base64[digits - 1] == '=')
        digits--;
    if (digits % 4 == 1 || s->base64_size - digits > 2)
        return -EBADMSG;
    for (size_t i = 0; i < digits; i++) {
        int digit = base64_digit(s->base64[i]);

        if (digit < 0)
            return -EBADMSG;
        held = held << 6 | (unsigned)digit;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (done == size)
            return -EBADMSG;
        out[done++] = (unsigned char)(held >> bits);
        held &= (1u << bits) - 1;
    }
    return (int)done;
}
