/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of a line, without copies.
 */
#include "threads/thread_pieces.h"

#include <ctype.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool piece_begins(struct piece p, const char *words)
{
    size_t n = strlen(words);

    return p.size >= n && memcmp(p.text, words, n) == 0;
}

bool piece_is(struct piece p, const char *text)
{
    return p.size == strlen(text) && memcmp(p.text, text, p.size) == 0;
}

struct piece piece_behind(struct piece p, const char *words)
{
    size_t n = strlen(words);
    const char *at = p.size >= n ? memmem(p.text, p.size, words, n) : NULL;

    return at ? (struct piece){at + n, p.size - (size_t)(at + n - p.text)} : (struct piece){0};
}

struct piece piece_until(struct piece p, const char *stop)
{
    size_t n = strlen(stop);
    const char *at = p.size >= n ? memmem(p.text, p.size, stop, n) : NULL;

    return at ? (struct piece){p.text, (size_t)(at - p.text)} : p;
}

struct piece piece_trim(struct piece p)
{
    while (p.size && is_blank(*p.text)) {
        p.text++;
        p.size--;
    }
    while (p.size && is_blank(p.text[p.size - 1]))
        p.size--;
    return p;
}

struct piece piece_word(struct piece *p)
{
    struct piece word;

    while (p->size && is_blank(*p->text)) {
        p->text++;
        p->size--;
    }
    word = (struct piece){p->text, 0};
    while (p->size && !is_blank(*p->text)) {
        p->text++;
        p->size--;
        word.size++;
    }
    return word;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

uint64_t piece_number(struct piece p)
{
    unsigned base = piece_begins(p, "0x") || piece_begins(p, "0X") ? 16 : 10;
    uint64_t n = 0;

    for (size_t i = base == 16 ? 2 : 0; i < p.size; i++) {
        unsigned digit = (unsigned)digit_of(p.text[i]);

        if (digit >= base || n > UINT64_MAX / 16 - 1)
            break;
        n = n * base + digit;
    }
    return n;
}

double piece_decimal(struct piece p)
{
    double n = 0, unit = 1;
    size_t i = 0;

    while (i < p.size && i < 18 && p.text[i] >= '0' && p.text[i] <= '9')
        n = n * 10 + (p.text[i++] - '0');
    if (i == 0)
        return -1;
    if (i < p.size && (p.text[i] == '.' || p.text[i] == ','))
        for (i++; i < p.size && i < 24 && p.text[i] >= '0' && p.text[i] <= '9'; i++)
            n += (p.text[i] - '0') * (unit /= 10);
    return n;
}
