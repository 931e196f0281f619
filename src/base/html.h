/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The one writer of HTML: text and attributes are escaped here and nowhere else, and every element that
 * was begun is ended. Names of elements and attributes are the program's own words; values are anybody's. What cannot
 * be shown (bytes that are not UTF-8, control characters, marks that turn the direction of text) becomes U+FFFD.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { HTML_DEPTH_MAX = 128 };

struct html {
    struct buf out;
    const char *open[HTML_DEPTH_MAX]; /* names of elements that are to be ended; static strings */
    unsigned depth;
    bool in_tag; /* attributes may follow */
    int failed;  /* the first failure: -ENOMEM, -EMSGSIZE. Calls after it do nothing */
};

/* An element with content: attributes, then text and elements, then its end. Void elements: html_void. */
void html_begin(struct html *h, const char *name);
void html_begin_class(struct html *h, const char *name, const char *class);
void html_end(struct html *h); /* the innermost */
void html_void(struct html *h, const char *name);

/* Directly behind the beginning of an element. value NULL: not written. No event handlers and no style: the pages'
 * policy forbids them. */
void html_attr(struct html *h, const char *name, const char *value);
void html_attr_number(struct html *h, const char *name, uint64_t value);
void html_flag(struct html *h, const char *name); /* an attribute without a value */

/* NULL: nothing. */
void html_text(struct html *h, const char *text);
void html_text_bytes(struct html *h, const char *text, size_t size); /* may hold NUL */
void html_printf(struct html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The program's own style, script or doctype, as it is: never anything foreign. */
void html_own(struct html *h, const char *text);

/* An element with nothing but text; class may be NULL. */
void html_element(struct html *h, const char *name, const char *class, const char *text);

/* One name and its value in a "dl"; class is the value's, and may be NULL. Between begin and end stands the value. */
void html_fact(struct html *h, const char *name, const char *class, const char *value);
void html_fact_begin(struct html *h, const char *name, const char *class);
void html_fact_end(struct html *h);

/* A link with nothing but text. */
void html_link(struct html *h, const char *href, const char *text);

/* Appends what another one holds, which is whole. */
void html_add(struct html *h, const struct html *whole);

void html_done(struct html *h);
