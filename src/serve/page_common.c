/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of pages, refusals, and which namespaces a caller may see.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/gateway.h"
#include "serve/page.h"

bool page_is_wanted(const struct exchange *x)
{
    const char *accept = exchange_header(x, "Accept");

    return accept && strstr(accept, "text/html");
}

static const char *title_of(unsigned status)
{
    switch (status) {
    case 400:
        return "This request was not understood";
    case 401:
        return "Sign in first";
    case 403:
        return "You may not do this";
    case 404:
        return "Nothing is here";
    case 429:
        return "Too many tries";
    case 503:
        return "Not available now";
    default:
        return status < 500 ? "Not possible" : "Something went wrong";
    }
}

void page_fail(struct request *r, unsigned status, const char *text)
{
    struct page p;
    struct html *h = &p.html;

    if (!page_is_wanted(r->exchange)) {
        exchange_answer_text(r->exchange, status, "%s", text);
        return;
    }
    page_begin(&p, r, title_of(status), NULL);
    html_begin_class(h, "div", "error");
    html_begin_class(h, "p", "status");
    html_printf(h, "%u", status);
    html_end(h);
    html_element(h, "h1", NULL, title_of(status));
    html_element(h, "p", "text", text);
    if (status == 404)
        html_element(h, "p", "muted", "Or you may not see it: what is not yours does not show.");
    html_begin(h, "p");
    html_link(h, "/-/cases", "To the cases");
    html_end(h);
    html_end(h);
    page_end(&p, status);
}

void page_fail_store(struct request *r, int result, const struct err *e)
{
    if (r->serve->gateway)
        gateway_fail(r, result, e);
    else
        request_fail(r, result, e);
}

static int add_name(void *ctx, const struct usage_row *row)
{
    return strv_add(ctx, row->namespace ? row->namespace : "");
}

/* Rights may be asked of an API server: after the catalogue's lock is given back. *ret_rights: of all of them. */
static int keep_visible(struct request *r, const struct strv *all, struct strv *ret, unsigned *ret_rights)
{
    CLEANUP_FREE unsigned *rights = calloc(all->count + 1, sizeof(*rights));
    int result = rights ? 0 : -ENOMEM;

    if (rights)
        caller_may_list_each(r->serve->access, r->caller, (const char *const *)all->item, all->count, rights);
    for (size_t i = 0; i < all->count && result == 0; i++) {
        if (rights[i] & RIGHT_LIST)
            result = strv_add(ret, all->item[i]);
        *ret_rights |= rights[i];
    }
    return result;
}

static int fill_scope(struct page_scope *s, struct request *r, struct err *e)
{
    CLEANUP(strv_done) struct strv all = {0};
    int result;

    r->rights = caller_rights(r->serve->access, r->caller, "*");
    s->all = (r->rights & RIGHT_LIST) != 0;
    if ((result = catalogue_usage(r->serve->catalogue, NULL, add_name, &all, e)) < 0)
        return result;
    if (s->all) {
        s->names = all;
        all = (struct strv){0};
        return 0;
    }
    if (keep_visible(r, &all, &s->names, &r->rights) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    return 0;
}

int page_scope_init(struct page_scope *s, struct request *r)
{
    struct err e = {0};
    int result;

    *s = (struct page_scope){0};
    if ((result = fill_scope(s, r, &e)) < 0) {
        request_fail(r, result, &e);
    } else if (!s->all && s->names.count == 0 && (caller_is_anonymous(r->caller) || r->rights & RIGHT_UNKNOWN)) {
        result = -ECANCELED;
        if (request_may(r, RIGHT_LIST))
            page_fail(r, 404, "There is nothing that you may see.");
    }
    if (result < 0) {
        page_scope_done(s);
        return -ECANCELED;
    }
    return 0;
}

void page_scope_done(struct page_scope *s)
{
    strv_done(&s->names);
}

const char *const *page_scope_visible(const struct page_scope *s)
{
    static const char *const none[] = {NULL};

    if (s->all)
        return NULL;
    return s->names.item ? (const char *const *)s->names.item : none;
}

bool page_scope_has(const struct page_scope *s, const char *namespace)
{
    if (s->all)
        return true;
    for (size_t i = 0; i < s->names.count; i++)
        if (text_eq(s->names.item[i], namespace))
            return true;
    return false;
}

static bool is_host(const char *text)
{
    size_t size = strlen(text);

    return size > 0 && size < 256 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:[]-") == size;
}

int page_origin(const struct exchange *x, struct buf *ret)
{
    const char *host = exchange_header(x, "Host"), *forwarded = exchange_header(x, "X-Forwarded-Proto");
    bool tls = exchange_is_tls(x) || text_eq(forwarded, "https"); /* for a text that only this caller reads */

    return buf_printf(ret, "http%s://%s", tls ? "s" : "", host && is_host(host) ? host : "THIS-SERVER");
}

static void begin_time(struct html *h, const char *class, int64_t time_ns)
{
    char text[CLOCK_TEXT_MAX];

    html_begin_class(h, "time", class);
    html_attr(h, "datetime", clock_format(time_ns, text));
}

/* "2026-11-21 01:56:05.123 UTC" */
static const char *plain_time(int64_t time_ns, char out[CLOCK_TEXT_MAX])
{
    char text[CLOCK_TEXT_MAX];

    clock_format(time_ns, text);
    snprintf(out, CLOCK_TEXT_MAX, "%.10s %.12s UTC", text, text + strlen("2026-11-21T"));
    return out;
}

void page_age(struct html *h, int64_t time_ns)
{
    int64_t minutes = (clock_wall_ns() - time_ns) / (60 * 1000000000LL);
    char text[CLOCK_TEXT_MAX];

    if (time_ns <= 0)
        return;
    begin_time(h, "age", time_ns);
    html_attr(h, "title", plain_time(time_ns, text));
    if (minutes < 1)
        html_text(h, "just now");
    else if (minutes < 60)
        html_printf(h, "%lld min ago", (long long)minutes);
    else if (minutes < 60LL * 48)
        html_printf(h, "%lld h ago", (long long)(minutes / 60));
    else
        html_printf(h, "%lld days ago", (long long)(minutes / 60 / 24));
    html_end(h);
}

void page_time(struct html *h, int64_t time_ns)
{
    char text[CLOCK_TEXT_MAX];

    if (time_ns <= 0)
        return;
    begin_time(h, NULL, time_ns);
    html_text(h, plain_time(time_ns, text));
    html_end(h);
}

void page_size(struct html *h, uint64_t bytes)
{
    char text[TEXT_SIZE_MAX];

    html_text(h, text_format_size(bytes, text));
}

void page_copy(struct html *h, const char *text)
{
    html_begin_class(h, "div", "copy");
    html_begin(h, "code");
    html_attr(h, "tabindex", "0");
    html_text(h, text);
    html_end(h);
    html_end(h);
}
