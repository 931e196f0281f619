/* SPDX-License-Identifier: Apache-2.0
 *
 * What all pages share: the frame around their content, their headers (a strict policy: nothing from elsewhere, no
 * inline script or style), and which namespaces a caller may see.
 */
#pragma once

#include "base/html.h"
#include "base/strv.h"
#include "serve/request.h"

struct page {
    struct request *request;
    struct html html;
};

/* Doctype to the beginning of main. title: before " · salvage"; current: "/-/cases", the entry of the menu; NULL: none.
 */
void page_begin(struct page *p, struct request *r, const char *title, const char *current);

/* The same for a page that shows an analysis or a digest of a heap: with its style and script. */
void page_begin_heap(struct page *p, struct request *r, const char *title);

/* Ends it and answers with it; 503 if it could not be made. */
void page_end(struct page *p, unsigned status);

/* Whether the request comes from a browser that wants a page. */
bool page_is_wanted(const struct exchange *x);

/* A page that says what went wrong: text in a sentence. */
void page_fail(struct request *r, unsigned status, const char *text);

/* The same for what the store answered: a bucket's name is for our log. */
void page_fail_store(struct request *r, int result, const struct err *e);

/* Which namespaces the caller may list. */
struct page_scope {
    bool all;
    struct strv names; /* those that have objects */
};

/* 0; -ECANCELED after it has answered itself: the caller sees nothing, or the catalogue does not answer. */
int page_scope_init(struct page_scope *s, struct request *r);
void page_scope_done(struct page_scope *s);
const char *const *page_scope_visible(const struct page_scope *s); /* for the catalogue's queries; NULL: all */
bool page_scope_has(const struct page_scope *s, const char *namespace);

/* "https://salvage.example": as the browser knows this server. Appended to ret; what the request says of it is checked
 * for its characters only. */
int page_origin(const struct exchange *x, struct buf *ret);

/* <time>: "12 min ago", with the time in UTC. */
void page_age(struct html *h, int64_t time_ns);
/* <time>: "2026-11-21 01:56:05.123 UTC". */
void page_time(struct html *h, int64_t time_ns);

void page_size(struct html *h, uint64_t bytes); /* "1.4 GiB" */

/* A line to copy. */
void page_copy(struct html *h, const char *text);

/* The pages. */
void page_cases(struct request *r);
void page_case(struct request *r);
void page_compare(struct request *r);
void page_usage(struct request *r);
void page_events(struct request *r);
