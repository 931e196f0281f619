/* SPDX-License-Identifier: Apache-2.0
 *
 * Two readers: jansson for nginx's JSON, and for HTML a scanner that looks at nothing but comments and the href of
 * <a>: no tree, no entities beyond those that servers write into links. Follows no link, and gives no name that
 * could lead out of the folder.
 */
#include "store/http/autoindex.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

struct list {
    struct autoindex a;
    size_t capacity;
};

static void list_done(struct list *l)
{
    autoindex_done(&l->a);
}

static bool is_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '/')
            return false;
    return *name && !text_eq(name, ".") && !text_eq(name, "..");
}

/* Takes ownership of name; drops one that can't be a file's. */
static int add(struct list *l, char *name, bool folder, uint64_t size, int64_t time_ns)
{
    struct autoindex_entry e = {.name = name, .folder = folder, .size = size, .time_ns = time_ns};

    if (!name)
        return -ENOMEM;
    if (!is_name(name)) {
        free(name);
        return 0;
    }
    if (array_reserve(&l->a.entry, l->a.count + 1, &l->capacity, sizeof(*l->a.entry), SIZE_MAX) < 0) {
        free(name);
        return -ENOMEM;
    }
    l->a.entry[l->a.count++] = e;
    return 0;
}

/* {"name":"a","type":"file","mtime":"Sat, 21 Nov 2026 01:56:05 GMT","size":1} (ngx_http_autoindex_module.c). */
static int add_json(struct list *l, const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *type = json_string_value(json_object_get(item, "type"));
    const char *mtime = json_string_value(json_object_get(item, "mtime"));
    json_int_t size = json_integer_value(json_object_get(item, "size"));
    bool folder = text_eq(type, "directory");
    int64_t time_ns = 0;

    if (!name || !type)
        return -EBADMSG;
    if (!folder && !text_eq(type, "file"))
        return 0;
    if (!mtime || clock_parse_http(mtime, &time_ns) < 0)
        time_ns = 0;
    return add(l, strdup(name), folder, size > 0 ? (uint64_t)size : 0, time_ns);
}

/* nginx writes names as the bytes they are. Each that is not UTF-8 becomes DEL: the JSON is then right, and the name
 * one that is dropped. */
static char *mend_utf8(const char *data, size_t size)
{
    char *copy = malloc(size);

    for (size_t i = 0, length; copy && i < size; i += length) {
        length = text_utf8_length(data + i, size - i);
        if (length > 0) {
            memcpy(copy + i, data + i, length);
        } else {
            copy[i] = 0x7f;
            length = 1;
        }
    }
    return copy;
}

static int decode_json(const char *data, size_t size, struct list *l)
{
    CLEANUP_FREE char *mended = mend_utf8(data, size);
    json_auto_t *root = NULL;
    json_error_t error;

    if (!mended)
        return -ENOMEM;
    root = json_loadb(mended, size, 0, &error);
    if (!root)
        return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
    for (size_t i = 0; i < json_array_size(root); i++) {
        int r = add_json(l, json_array_get(root, i));

        if (r < 0)
            return r;
    }
    return 0;
}

/* The rest of the page. */
struct page {
    const char *at, *end;
};

static size_t left(const struct page *p)
{
    return (size_t)(p->end - p->at);
}

static bool at_word(const struct page *p, const char *word)
{
    size_t size = strlen(word);

    return left(p) >= size && strncasecmp(p->at, word, size) == 0;
}

static void skip(struct page *p, const char *any_of)
{
    while (p->at < p->end && *p->at && strchr(any_of, *p->at))
        p->at++;
}

/* The bytes before any of the given; the page is then at that byte or at its end. */
static struct page until(struct page *p, const char *any_of)
{
    struct page span = {p->at, p->at};

    while (p->at < p->end && !(*p->at && strchr(any_of, *p->at)))
        p->at++;
    span.end = p->at;
    return span;
}

/* The next attribute of a tag, up to and without its '>'. False if there is none. */
static bool next_attribute(struct page *p, struct page *ret_name, struct page *ret_value)
{
    struct page value = {0};

    skip(p, " \t\r\n/");
    if (p->at == p->end || *p->at == '>')
        return false;
    *ret_name = until(p, " \t\r\n=>");
    skip(p, " \t\r\n");
    if (p->at < p->end && *p->at == '=') {
        p->at++;
        skip(p, " \t\r\n");
        if (p->at < p->end && (*p->at == '"' || *p->at == '\'')) {
            const char quote[2] = {*p->at++, '\0'};

            value = until(p, quote);
            if (p->at < p->end)
                p->at++;
        } else {
            value = until(p, " \t\r\n>");
        }
    }
    *ret_value = value;
    return true;
}

/* An attribute's value as text; NULL without memory. */
static char *decode_entities(struct page value)
{
    static const struct {
        const char *entity;
        char c;
    } table[] = {{"&amp;", '&'}, {"&lt;", '<'},   {"&gt;", '>'},  {"&quot;", '"'},
                 {"&#38;", '&'}, {"&#39;", '\''}, {"&#34;", '"'}, {"&#x27;", '\''}};
    char *text = malloc(left(&value) + 1), *out = text;

    while (text && value.at < value.end) {
        size_t i = 0;

        while (i < ARRAY_SIZE(table) && !at_word(&value, table[i].entity))
            i++;
        *out++ = i < ARRAY_SIZE(table) ? table[i].c : *value.at;
        value.at += i < ARRAY_SIZE(table) ? strlen(table[i].entity) : 1;
    }
    if (text)
        *out = '\0';
    return text;
}

/* The name that a link means, "" if it is none of this folder's: elsewhere, deeper, another order of the same page
 * (Apache's ?C=N), or one with NUL in it. malloc'ed, NULL without memory. */
static char *link_name(struct page value, bool *ret_folder)
{
    CLEANUP_FREE char *link = memchr(value.at, '\0', left(&value)) ? strdup("") : decode_entities(value);
    const char *name = link;
    size_t size;

    if (!link)
        return NULL;
    if (text_starts(name, "./"))
        name += 2; /* so "a:b" can't be taken for a scheme */
    else if (strchr(name, ':'))
        return strdup("");
    size = strlen(name);
    *ret_folder = size > 0 && name[size - 1] == '/';
    if (*ret_folder)
        size--;
    if (strpbrk(name, "?#") || strstr(name, "%00"))
        return strdup("");
    return url_decode(name, size);
}

/* nginx, behind a link: "   21-Nov-2026 01:56    12345" (or '-', or a rounded "12K"). */
static void read_columns(struct page p, uint64_t *ret_size, int64_t *ret_time_ns)
{
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec", LIKE[] = "21-Nov-2026 01:56";
    struct page column = until(&p, "<\r\n");
    char line[96], time[CLOCK_TEXT_MAX], *at = line;
    unsigned month = 0;

    snprintf(line, sizeof(line), "%.*s", (int)(left(&column) < sizeof(line) ? left(&column) : sizeof(line)), column.at);
    at += strspn(at, " ");
    if (strlen(at) < strlen(LIKE) || at[2] != '-' || at[6] != '-' || at[11] != ' ')
        return;
    while (month < 12 && memcmp(at + 3, MONTHS + 3 * (size_t)month, 3) != 0)
        month++;
    snprintf(time, sizeof(time), "%.4s-%02u-%.2sT%.5s:00Z", at + 7, month + 1, at, at + 12);
    if (clock_parse(time, ret_time_ns) < 0)
        return;
    at += strlen(LIKE);
    at += strspn(at, " ");
    at[strcspn(at, " ")] = '\0';
    text_parse_uint(at, INT64_MAX, ret_size);
}

/* From after "<a" to after "</a>" or the tag's end. */
static int read_link(struct page *p, struct list *l)
{
    struct page name, value, href = {0};
    struct autoindex_entry *last = l->a.count > 0 ? &l->a.entry[l->a.count - 1] : NULL;
    struct page rest;
    bool folder = false;
    uint64_t size = 0;
    int64_t time_ns = 0;
    char *text;

    while (next_attribute(p, &name, &value))
        if (left(&name) == 4 && at_word(&name, "href") && value.at && !href.at)
            href = value;
    if (!href.at)
        return 0;
    rest = *p;
    until(&rest, "<");
    if (at_word(&rest, "</a>")) {
        rest.at += strlen("</a>");
        read_columns(rest, &size, &time_ns);
    }
    text = link_name(href, &folder);
    if (text && last && text_eq(last->name, text)) { /* icon and name, each a link */
        free(text);
        return 0;
    }
    return add(l, text, folder, folder ? 0 : size, time_ns);
}

static int decode_html(const char *data, size_t size, struct list *l)
{
    struct page p = {data, data + size};
    bool html = false;
    int r = 0;

    while (r == 0 && (until(&p, "<"), p.at < p.end)) {
        p.at++;
        if (at_word(&p, "!--")) {
            const char *end = memmem(p.at, left(&p), "-->", 3);

            p.at = end ? end : p.end;
        } else if (at_word(&p, "html") || at_word(&p, "!doctype html")) {
            html = true;
        } else if (left(&p) >= 2 && (*p.at == 'a' || *p.at == 'A') && strchr(" \t\r\n", p.at[1]) && p.at[1]) {
            html = true;
            p.at++;
            r = read_link(&p, l);
        }
    }
    return r == 0 && !html ? -EBADMSG : r;
}

int autoindex_decode(const char *data, size_t size, struct autoindex *ret)
{
    CLEANUP(list_done) struct list l = {0};
    struct page p;
    int r;

    if (size == 0)
        return -EBADMSG;
    p = (struct page){data, data + size};
    skip(&p, " \t\r\n");
    r = p.at < p.end && *p.at == '[' ? decode_json(p.at, left(&p), &l) : decode_html(p.at, left(&p), &l);
    if (r < 0)
        return r;
    *ret = l.a;
    l.a = (struct autoindex){0};
    return 0;
}

void autoindex_done(struct autoindex *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->entry[i].name);
    free(a->entry);
    *a = (struct autoindex){0};
}
