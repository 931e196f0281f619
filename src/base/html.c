/* SPDX-License-Identifier: Apache-2.0
 *
 * Escapes for text and for attributes in double quotes are the same: one function.
 */
#include "base/html.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */

static void add(struct html *h, const char *text, size_t size)
{
    if (h->failed == 0 && size > 0)
        h->failed = buf_add(&h->out, text, size);
}

static void add_text(struct html *h, const char *text)
{
    add(h, text, strlen(text));
}

static void close_tag(struct html *h)
{
    if (h->in_tag)
        add_text(h, ">");
    h->in_tag = false;
}

/* The bytes at text that stand for themselves. */
static size_t plain_length(const char *text, size_t size)
{
    size_t n = 0;

    while (n < size) {
        unsigned char c = (unsigned char)text[n];
        size_t length;

        if (c < 0x80) {
            if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || strchr("&<>\"'", c))
                break;
            n++;
            continue;
        }
        length = text_utf8_length(text + n, size - n);
        if (length == 0 || text_control(text + n, length) != 0)
            break;
        n += length;
    }
    return n;
}

static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return REPLACEMENT;
    }
}

static void add_escaped(struct html *h, const char *text, size_t size)
{
    while (size > 0 && h->failed == 0) {
        size_t plain = plain_length(text, size), length;

        add(h, text, plain);
        text += plain;
        size -= plain;
        if (size == 0)
            break;
        add_text(h, escape_of(*text));
        length = text_utf8_length(text, size);
        length = length ? length : 1;
        text += length;
        size -= length;
    }
}

static bool is_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == strlen(name);
}

void html_void(struct html *h, const char *name)
{
    assert(is_name(name));
    close_tag(h);
    add_text(h, "<");
    add_text(h, name);
    h->in_tag = true;
}

void html_begin(struct html *h, const char *name)
{
    assert(h->depth < HTML_DEPTH_MAX);
    html_void(h, name);
    h->open[h->depth++] = name;
}

void html_begin_class(struct html *h, const char *name, const char *class)
{
    html_begin(h, name);
    html_attr(h, "class", class);
}

void html_end(struct html *h)
{
    assert(h->depth > 0);
    close_tag(h);
    add_text(h, "</");
    add_text(h, h->open[--h->depth]);
    add_text(h, ">");
}

void html_attr(struct html *h, const char *name, const char *value)
{
    assert(h->in_tag && is_name(name) && !text_starts(name, "on") && !text_eq(name, "style"));
    if (!value)
        return;
    add_text(h, " ");
    add_text(h, name);
    add_text(h, "=\"");
    add_escaped(h, value, strlen(value));
    add_text(h, "\"");
}

void html_attr_number(struct html *h, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    html_attr(h, name, text);
}

void html_flag(struct html *h, const char *name)
{
    assert(h->in_tag && is_name(name) && !text_starts(name, "on"));
    add_text(h, " ");
    add_text(h, name);
}

void html_text_bytes(struct html *h, const char *text, size_t size)
{
    close_tag(h);
    add_escaped(h, text, size);
}

void html_text(struct html *h, const char *text)
{
    if (text)
        html_text_bytes(h, text, strlen(text));
}

void html_own(struct html *h, const char *text)
{
    close_tag(h);
    add_text(h, text);
}

void html_printf(struct html *h, const char *format, ...)
{
    CLEANUP_FREE char *text = NULL;
    va_list args;
    int size;

    va_start(args, format);
    size = vasprintf(&text, format, args);
    va_end(args);
    if (size < 0) {
        text = NULL;
        h->failed = h->failed ? h->failed : -ENOMEM;
        return;
    }
    html_text_bytes(h, text, (size_t)size);
}

void html_element(struct html *h, const char *name, const char *class, const char *text)
{
    html_begin_class(h, name, class);
    html_text(h, text);
    html_end(h);
}

void html_fact_begin(struct html *h, const char *name, const char *class)
{
    html_begin(h, "div");
    html_element(h, "dt", NULL, name);
    html_begin_class(h, "dd", class);
}

void html_fact_end(struct html *h)
{
    html_end(h);
    html_end(h);
}

void html_fact(struct html *h, const char *name, const char *class, const char *value)
{
    html_fact_begin(h, name, class);
    html_text(h, value);
    html_fact_end(h);
}

void html_link(struct html *h, const char *href, const char *text)
{
    html_begin(h, "a");
    html_attr(h, "href", href);
    html_text(h, text);
    html_end(h);
}

void html_add(struct html *h, const struct html *whole)
{
    assert(whole->depth == 0);
    close_tag(h);
    add(h, whole->out.data, whole->out.size);
    if (whole->in_tag)
        add_text(h, ">");
    h->failed = h->failed ? h->failed : whole->failed;
}

void html_done(struct html *h)
{
    buf_done(&h->out);
    *h = (struct html){0};
}
