/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies in a folder of a root, as nginx's autoindex says it: a page of links, or JSON. Made while it is sent, entry
 * by entry.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/html.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/folder_list.h"
#include "serve/route.h"

enum { NAME_COLUMN = 50, NS_PER_S = 1000000000 };

struct listing {
    struct folder_list *list;
    struct html page;                /* what was made and not yet sent; for JSON only its buffer */
    bool json, begun, ended, second; /* second: an entry is before the next one */
};

static void listing_free(void *ctx)
{
    struct listing *l = ctx;

    if (!l)
        return;
    folder_list_free(l->list);
    html_done(&l->page);
    free(l);
}

static void listing_free_ptr(struct listing **l)
{
    listing_free(*l);
}

/* "21-Nov-2026 01:56", without the locale's names. */
static void format_time(int64_t ns, char out[32])
{
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(ns / NS_PER_S);
    struct tm t;

    if (!gmtime_r(&seconds, &t))
        memset(&t, 0, sizeof(t));
    snprintf(out, 32, "%02d-%.3s-%04d %02d:%02d", t.tm_mday % 100, MONTHS + 3 * (size_t)(t.tm_mon % 12),
             (t.tm_year + 1900) % 10000, t.tm_hour % 100, t.tm_min % 100);
}

static size_t characters(const char *name)
{
    size_t count = 0;

    for (; *name; name++)
        count += ((unsigned char)*name & 0xc0) != 0x80;
    return count;
}

/* nginx's line: the link, the name's column filled up, date, and size. */
static void add_html(struct listing *l, const struct folder_entry *e)
{
    CLEANUP(buf_done) struct buf href = {0}, text = {0};
    size_t width = characters(e->name) + (e->folder ? 1 : 0);
    int fill = width < NAME_COLUMN ? (int)(NAME_COLUMN - width) : 0, r = 0;
    char time[32], size[32] = "-";

    /* "a:b" alone would be a scheme: url_add_path escapes ':'. */
    if ((r = url_add_path(&href, e->name)) < 0 || (r = buf_printf(&text, "%s%s", e->name, e->folder ? "/" : "")) < 0 ||
        (e->folder && (r = buf_add_text(&href, "/")) < 0)) {
        l->page.failed = r;
        return;
    }
    format_time(e->modified_ns, time);
    if (!e->folder)
        snprintf(size, sizeof(size), "%" PRIu64, e->size);
    html_link(&l->page, buf_text(&href), buf_text(&text));
    html_printf(&l->page, "%*s %s %19s\n", fill, "", time, size);
}

/* False for a name that is not UTF-8: JSON can't express it. */
static bool add_json_name(struct buf *out, const char *name, int *failed)
{
    for (size_t left = strlen(name), length; left > 0; name += length, left -= length) {
        if ((length = text_utf8_length(name, left)) == 0)
            return false;
        if ((*name == '"' || *name == '\\') && *failed == 0)
            *failed = buf_add_text(out, "\\");
        if (*failed == 0)
            *failed = buf_add(out, name, length);
    }
    return true;
}

static void add_json(struct listing *l, const struct folder_entry *e)
{
    CLEANUP(buf_done) struct buf name = {0};
    char time[CLOCK_TEXT_MAX];
    int failed = 0;

    if (!add_json_name(&name, e->name, &failed))
        return;
    if (failed == 0)
        failed =
            buf_printf(&l->page.out, "%s{ \"name\":\"%s\", \"type\":\"%s\", \"mtime\":\"%s\"", l->second ? ",\r\n" : "",
                       buf_text(&name), e->folder ? "directory" : "file", clock_format_http(e->modified_ns, time));
    if (failed == 0)
        failed = e->folder ? buf_add_text(&l->page.out, " }")
                           : buf_printf(&l->page.out, ", \"size\":%" PRIu64 " }", e->size);
    l->page.failed = failed;
    l->second = true;
}

static void begin_html(struct listing *l, const char *key)
{
    CLEANUP(buf_done) struct buf title = {0};

    l->page.failed = buf_printf(&title, "Index of /%s", key);
    html_begin(&l->page, "html");
    html_begin(&l->page, "head");
    html_element(&l->page, "title", NULL, buf_text(&title));
    html_void(&l->page, "meta");
    html_attr(&l->page, "name", "color-scheme");
    html_attr(&l->page, "content", "light dark");
    html_end(&l->page);
    html_begin(&l->page, "body");
    html_element(&l->page, "h1", NULL, buf_text(&title));
    html_void(&l->page, "hr");
    html_begin(&l->page, "pre");
    if (*key) {
        html_link(&l->page, "../", "../");
        html_text(&l->page, "\n");
    }
}

static void end_html(struct listing *l)
{
    html_end(&l->page); /* pre */
    html_void(&l->page, "hr");
    html_end(&l->page);
    html_end(&l->page);
    html_text(&l->page, "\n");
}

static int begin(struct listing *l, const char *key)
{
    if (l->json)
        l->page.failed = buf_add_text(&l->page.out, "[\r\n");
    else
        begin_html(l, key);
    return l->page.failed;
}

/* Adds an entry, or the end. */
static int make(struct listing *l)
{
    struct folder_entry e;
    int r = folder_list_next(l->list, &e);

    if (r < 0)
        return r;
    if (r > 0 && l->json)
        add_json(l, &e);
    else if (r > 0)
        add_html(l, &e);
    else if (l->json)
        l->page.failed = buf_add_text(&l->page.out, "\r\n]\r\n");
    else
        end_html(l);
    l->ended = r == 0;
    return l->page.failed;
}

static ssize_t read_listing(void *ctx, void *data, size_t size)
{
    struct listing *l = ctx;
    struct buf *out = &l->page.out;
    int r;

    while (!l->ended && out->size < size)
        if ((r = make(l)) < 0)
            return r;
    if (size > out->size)
        size = out->size;
    if (size > 0)
        memcpy(data, out->data, size);
    buf_drop(out, size);
    return (ssize_t)size;
}

static bool wants_json(const struct exchange *x)
{
    const char *format = exchange_query(x, "format"), *accept = exchange_header(x, "Accept");

    return format ? text_eq(format, "json")
                  : accept && strstr(accept, "application/json") && !strstr(accept, "text/html");
}

static void answer(struct request *r, struct listing *l)
{
    struct exchange *x = r->exchange;

    exchange_add_header(x, "Content-Type", l->json ? "application/json" : "text/html; charset=utf-8");
    exchange_add_header(x, "Content-Security-Policy",
                        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    exchange_add_header(x, "X-Content-Type-Options", "nosniff");
    exchange_add_header(x, "Cache-Control", "private, no-cache");
    exchange_add_header(x, "Vary", "Accept");
    exchange_answer_stream(x, 200, -1, &(struct exchange_stream){.read = read_listing, .done = listing_free, .ctx = l});
}

void listing_folder(struct request *r)
{
    CLEANUP(listing_free_ptr) struct listing *l = NULL;

    if (*r->key && !request_may(r, RIGHT_LIST))
        return;
    if (!(l = calloc(1, sizeof(*l)))) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    l->json = wants_json(r->exchange);
    if (!folder_list_open(r, &l->list))
        return;
    if (begin(l, r->key) < 0)
        exchange_answer_text(r->exchange, 503, "out of memory");
    else
        answer(r, TAKE_PTR(l));
}
