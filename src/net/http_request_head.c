/* SPDX-License-Identifier: Apache-2.0
 *
 * Line by line. A line ends with CRLF and nothing else.
 */
#include "net/http_request_head.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { METHOD_MAX = 20, LENGTH_DIGITS_MAX = 18 };

struct text {
    const char *at;
    size_t size;
};

struct fields {
    unsigned all, hosts, lengths, codings;
    uint64_t body_size;
    bool chunked, close;
};

static int refuse(int status, const char *why, const char **ret_why)
{
    *ret_why = why;
    return -status;
}

static bool is(struct text t, const char *word)
{
    return t.size == strlen(word) && strncasecmp(t.at, word, t.size) == 0;
}

/* RFC 9110, 5.6.2 */
static bool is_token(struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        char c = t.at[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c && strchr("!#$%&'*+-.^_`|~", c))))
            return false;
    }
    return t.size > 0;
}

/* No control character but the tab: neither a bare CR nor NUL. */
static bool is_field_value(struct text t)
{
    for (size_t i = 0; i < t.size; i++)
        if (((unsigned char)t.at[i] < ' ' && t.at[i] != '\t') || t.at[i] == 0x7f)
            return false;
    return true;
}

static bool is_target(struct text t)
{
    for (size_t i = 0; i < t.size; i++)
        if ((unsigned char)t.at[i] <= ' ' || t.at[i] == 0x7f)
            return false;
    return t.size > 0;
}

static struct text trimmed(struct text t)
{
    while (t.size > 0 && (t.at[0] == ' ' || t.at[0] == '\t')) {
        t.at++;
        t.size--;
    }
    while (t.size > 0 && (t.at[t.size - 1] == ' ' || t.at[t.size - 1] == '\t'))
        t.size--;
    return t;
}

/* Whether a list such as "keep-alive, close" has the word. */
static bool has_word(struct text list, const char *word)
{
    while (list.size > 0) {
        const char *comma = memchr(list.at, ',', list.size);
        size_t size = comma ? (size_t)(comma - list.at) : list.size;

        if (is(trimmed((struct text){list.at, size}), word))
            return true;
        size += comma ? 1 : 0;
        list.at += size;
        list.size -= size;
    }
    return false;
}

/* The text up to the next space; false without one. */
static bool take_word(struct text *line, struct text *ret)
{
    const char *space = memchr(line->at, ' ', line->size);

    if (!space)
        return false;
    *ret = (struct text){line->at, (size_t)(space - line->at)};
    line->size -= ret->size + 1;
    line->at = space + 1;
    return true;
}

static bool starts(struct text t, const char *prefix)
{
    return t.size >= strlen(prefix) && strncasecmp(t.at, prefix, strlen(prefix)) == 0;
}

static int request_line(struct text line, bool *ret_old, const char **why)
{
    struct text method, target;

    if (!take_word(&line, &method) || !is_token(method) || method.size > METHOD_MAX)
        return refuse(400, "this is no request of HTTP/1.1", why);
    if (!take_word(&line, &target))
        return refuse(400, "the request line has no version: HTTP/0.9 is not spoken here", why);
    if (target.size > HTTP_TARGET_MAX)
        return refuse(414, "the URL is too long", why);
    if (!starts(line, "HTTP/") || line.size != strlen("HTTP/1.1"))
        return refuse(400, "the request line is malformed", why);
    *ret_old = memcmp(line.at, "HTTP/1.0", line.size) == 0;
    if (!*ret_old && memcmp(line.at, "HTTP/1.1", line.size) != 0)
        return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here", why);
    if (is(method, "CONNECT"))
        return refuse(501, "this is no proxy", why);
    if (!is_target(target))
        return refuse(400, "the URL has characters that no URL has", why);
    if (target.at[0] != '/' && !starts(target, "http://") && !starts(target, "https://") &&
        !(is(method, "OPTIONS") && is(target, "*")))
        return refuse(400, "the request names no path", why);
    return 0;
}

static int content_length(struct text value, struct fields *f, const char **why)
{
    if (f->lengths++ > 0)
        return refuse(400, "Content-Length more than once", why);
    if (value.size == 0)
        return refuse(400, "Content-Length is no number", why);
    for (size_t i = 0; i < value.size; i++)
        if (value.at[i] < '0' || value.at[i] > '9')
            return refuse(400, "Content-Length is no number", why);
    if (value.size > LENGTH_DIGITS_MAX)
        return refuse(413, "Content-Length is too large", why);
    for (size_t i = 0; i < value.size; i++)
        f->body_size = f->body_size * 10 + (uint64_t)(value.at[i] - '0');
    return 0;
}

static int transfer_encoding(struct text value, struct fields *f, const char **why)
{
    if (f->codings++ > 0)
        return refuse(400, "Transfer-Encoding more than once", why);
    if (!is(value, "chunked"))
        return refuse(501, "no Transfer-Encoding but chunked is understood", why);
    f->chunked = true;
    return 0;
}

static int field(struct text line, struct fields *f, const char **why)
{
    const char *colon = memchr(line.at, ':', line.size);
    struct text name = {line.at, colon ? (size_t)(colon - line.at) : 0}, value;

    if (++f->all > HTTP_FIELDS_MAX)
        return refuse(431, "too many header fields", why);
    if (!is_token(name)) /* also a continued line (obs-fold), and a space before the colon */
        return refuse(400, "a header line is malformed", why);
    assert(colon);
    value = trimmed((struct text){colon + 1, line.size - name.size - 1});
    if (!is_field_value(value))
        return refuse(400, "a header field has a control character", why);
    if (is(name, "Content-Length"))
        return content_length(value, f, why);
    if (is(name, "Transfer-Encoding"))
        return transfer_encoding(value, f, why);
    if (is(name, "Host"))
        f->hosts++;
    else if (is(name, "Connection"))
        f->close = f->close || has_word(value, "close");
    else if (is(name, "Expect") && !is(value, "100-continue"))
        return refuse(417, "nothing but 100-continue can be expected", why);
    return 0;
}

static int all_fields(const struct fields *f, bool old, const char **why)
{
    if (f->lengths && f->codings)
        return refuse(400, "both Content-Length and Transfer-Encoding", why);
    if (f->codings && old)
        return refuse(400, "HTTP/1.0 knows no Transfer-Encoding", why);
    if (f->hosts > 1 || (f->hosts == 0 && !old))
        return refuse(400, "there must be one Host field", why);
    return 0;
}

/* The next line, without its CRLF. 1, 0: not whole, -400. */
static int take_line(struct text *rest, struct text *ret, const char **why)
{
    const char *end = memchr(rest->at, '\n', rest->size);

    if (!end)
        return 0;
    if (end == rest->at || end[-1] != '\r')
        return refuse(400, "a line ends without CR", why);
    *ret = (struct text){rest->at, (size_t)(end - rest->at) - 1};
    rest->size -= ret->size + 2;
    rest->at = end + 1;
    return 1;
}

static int too_large(size_t size, bool in_target, const char **why)
{
    if (size < HTTP_HEAD_MAX)
        return 0;
    return in_target ? refuse(414, "the URL is too long", why) : refuse(431, "the header is too large", why);
}

int http_request_head_check(const char *data, size_t size, struct http_request_head *ret, const char **why)
{
    struct text rest = {data, size < HTTP_HEAD_MAX ? size : HTTP_HEAD_MAX}, line;
    struct fields f = {0};
    bool old;
    int r;

    assert(data && ret && why);
    do /* RFC 9112, 2.2: empty lines in front are ignored */
        if ((r = take_line(&rest, &line, why)) <= 0)
            return r < 0 ? r : too_large(size, true, why);
    while (line.size == 0);
    if ((r = request_line(line, &old, why)) < 0)
        return r;
    while ((r = take_line(&rest, &line, why)) > 0 && line.size > 0)
        if ((r = field(line, &f, why)) < 0)
            return r;
    if (r <= 0)
        return r < 0 ? r : too_large(size, false, why);
    if ((r = all_fields(&f, old, why)) < 0)
        return r;
    *ret = (struct http_request_head){.size = (size_t)(rest.at - data),
                                      .body_size = f.body_size,
                                      .chunked = f.chunked,
                                      .is_old = old,
                                      .persistent = !old && !f.close};
    return 1;
}
