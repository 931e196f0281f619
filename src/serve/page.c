/* SPDX-License-Identifier: Apache-2.0
 *
 * Frame, headers, and which page answers.
 */
#include "serve/page.h"

#include <assert.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/page_file.h"
#include "serve/route.h"

static const char POLICY[] = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
                             "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

static const struct {
    const char *href, *name;
} MENU[] = {{"/-/cases", "Cases"}, {"/-/compare", "Compare"}, {"/-/usage", "Usage"}};

static bool is_anonymous(const struct request *r)
{
    return !r->caller || caller_is_anonymous(r->caller);
}

static void write_style(struct html *h, const char *name)
{
    char url[PAGE_FILE_URL_MAX];

    html_void(h, "link");
    html_attr(h, "rel", "stylesheet");
    html_attr(h, "href", page_file_url(name, url));
}

static void write_script(struct html *h, const char *name)
{
    char url[PAGE_FILE_URL_MAX];

    html_begin(h, "script");
    html_attr(h, "src", page_file_url(name, url));
    html_flag(h, "defer");
    html_end(h);
}

static void write_head(struct html *h, const char *title, bool heap)
{
    char url[PAGE_FILE_URL_MAX];

    html_begin(h, "head");
    html_void(h, "meta");
    html_attr(h, "charset", "utf-8");
    html_void(h, "meta");
    html_attr(h, "name", "viewport");
    html_attr(h, "content", "width=device-width, initial-scale=1");
    html_begin(h, "title");
    html_text(h, title);
    html_text(h, " · salvage");
    html_end(h);
    html_void(h, "link");
    html_attr(h, "rel", "icon");
    html_attr(h, "href", page_file_url("icon.svg", url));
    if (heap)
        write_style(h, "analysis.css");
    write_style(h, "page.css");
    write_script(h, "page.js");
    if (heap)
        write_script(h, "analysis.js");
    html_end(h);
}

static void write_brand(struct html *h)
{
    html_begin_class(h, "a", "brand");
    html_attr(h, "href", "/-/cases");
    html_begin(h, "svg");
    html_attr(h, "width", "22");
    html_attr(h, "height", "22");
    html_attr(h, "viewBox", "0 0 32 32");
    html_attr(h, "aria-hidden", "true");
    html_begin(h, "circle");
    html_attr(h, "cx", "16");
    html_attr(h, "cy", "16");
    html_attr(h, "r", "10");
    html_attr(h, "fill", "none");
    html_attr(h, "stroke-width", "8");
    html_end(h);
    html_begin(h, "path");
    html_attr(h, "d", "M16 1v10M16 21v10M1 16h10M21 16h10");
    html_attr(h, "stroke-width", "4");
    html_attr(h, "transform", "rotate(45 16 16)");
    html_end(h);
    html_end(h);
    html_text(h, "salvage");
    html_end(h);
}

static void write_caller(struct html *h, const struct request *r)
{
    CLEANUP(buf_done) struct buf logout = {0};

    html_begin_class(h, "div", "who");
    if (is_anonymous(r)) {
        html_link(h, "/" REQUEST_OWN "login", "Sign in");
    } else if (buf_add_text(&logout, "/" REQUEST_OWN "logout") == 0 &&
               url_add_query(&logout, "csrf", caller_csrf(r->caller)) == 0) {
        html_element(h, "bdi", NULL, caller_name(r->caller));
        html_begin(h, "form");
        html_attr(h, "method", "post");
        html_attr(h, "action", buf_text(&logout));
        html_begin_class(h, "button", "plain");
        html_text(h, "Sign out");
        html_end(h);
        html_end(h);
    }
    html_end(h);
}

static void write_menu(struct html *h, const char *current)
{
    html_begin(h, "nav");
    html_attr(h, "aria-label", "Pages");
    html_begin(h, "ul");
    for (size_t i = 0; i < ARRAY_SIZE(MENU); i++) {
        html_begin(h, "li");
        html_begin(h, "a");
        html_attr(h, "href", MENU[i].href);
        if (text_eq(current, MENU[i].href))
            html_attr(h, "aria-current", "page");
        html_text(h, MENU[i].name);
        html_end(h);
        html_end(h);
    }
    html_end(h);
    html_end(h);
}

static void begin(struct page *p, struct request *r, const char *title, const char *current, bool heap)
{
    struct html *h = &p->html;

    *p = (struct page){.request = r};
    buf_add_text(&h->out, "<!DOCTYPE html>\n");
    html_begin(h, "html");
    html_attr(h, "lang", "en");
    write_head(h, title, heap);
    html_begin(h, "body");
    html_begin_class(h, "a", "skip");
    html_attr(h, "href", "#main");
    html_text(h, "Skip to the content");
    html_end(h);
    html_begin_class(h, "header", "top");
    html_begin(h, "div");
    write_brand(h);
    write_menu(h, current);
    write_caller(h, r);
    html_end(h);
    html_end(h);
    html_begin(h, "main");
    html_attr(h, "id", "main");
    html_attr(h, "tabindex", "-1");
}

void page_begin(struct page *p, struct request *r, const char *title, const char *current)
{
    begin(p, r, title, current, false);
}

void page_begin_heap(struct page *p, struct request *r, const char *title)
{
    begin(p, r, title, NULL, true);
}

static void write_foot(struct html *h)
{
    html_begin_class(h, "footer", "foot");
    html_begin(h, "div");
    html_element(h, "span", NULL, "salvage " SALVAGE_VERSION);
    html_element(h, "span", NULL, "All times are UTC");
    html_begin(h, "span");
    html_attr(h, "id", "said");
    html_attr(h, "role", "status");
    html_attr(h, "class", "unseen");
    html_end(h);
    html_end(h);
    html_end(h);
}

static void add_headers(struct exchange *x)
{
    exchange_add_header(x, "Content-Type", "text/html; charset=utf-8");
    exchange_add_header(x, "Content-Security-Policy", POLICY);
    exchange_add_header(x, "X-Content-Type-Options", "nosniff");
    /* With no-referrer a browser would hide the origin of our own forms from us. */
    exchange_add_header(x, "Referrer-Policy", "same-origin");
    exchange_add_header(x, "Cross-Origin-Opener-Policy", "same-origin");
    exchange_add_header(x, "Cache-Control", "no-store");
}

void page_end(struct page *p, unsigned status)
{
    struct html *h = &p->html;
    struct exchange *x = p->request->exchange;

    html_end(h); /* main */
    write_foot(h);
    html_end(h);
    html_end(h);
    assert(h->depth == 0);
    if (h->failed) {
        exchange_answer_text(x, 503, "this page is too large, or there is no memory for it");
    } else {
        add_headers(x);
        exchange_answer(x, status, h->out.data, h->out.size);
    }
    html_done(h);
}

static const struct {
    const char *key;
    bool below;
    void (*answer)(struct request *r);
} PAGES[] = {
    {REQUEST_OWN "static/", true, page_file_answer}, {REQUEST_OWN "cases", false, page_cases},
    {REQUEST_OWN "case/", true, page_case},          {REQUEST_OWN "compare", false, page_compare},
    {REQUEST_OWN "usage", false, page_usage},        {REQUEST_OWN "events", false, page_events},
};

void page_answer(struct request *r)
{
    for (size_t i = 0; i < ARRAY_SIZE(PAGES); i++) {
        if (PAGES[i].below ? !text_starts(r->key, PAGES[i].key) : !text_eq(r->key, PAGES[i].key))
            continue;
        if (r->serve->catalogue || PAGES[i].answer == page_file_answer)
            PAGES[i].answer(r);
        else
            page_fail(r, 503, "The catalogue of cases is not available.");
        return;
    }
    page_fail(r, 404, "There is no such page.");
}
