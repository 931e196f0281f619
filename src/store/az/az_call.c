/* SPDX-License-Identifier: Apache-2.0
 *
 * A SAS is part of the URL: messages have no query (net/http.h).
 */
#include "store/az/az_call.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/az/az_xml.h"

/* The first with 4000 MiB in a block is 2019-12-12; this one is understood by all servers since 2021. */
static const char VERSION[] = "2020-10-02";

struct az_call *az_query(struct az_call *c, const char *name, const char *value)
{
    if (!value)
        return c;
    assert(c->query_count < AZ_PAIRS_MAX);
    c->query[c->query_count++] = (struct sign_pair){name, value};
    return c;
}

struct az_call *az_header(struct az_call *c, const char *name, const char *value)
{
    if (!value)
        return c;
    assert(c->header_count < AZ_PAIRS_MAX);
    c->headers[c->header_count++] = (struct sign_pair){name, value};
    return c;
}

static int make_url(const struct az *s, const struct az_call *c, const struct az_credentials *by, struct buf *ret)
{
    int r = buf_printf(ret, "%s/%s", az_origin(s), az_container(s));

    if (r == 0 && c->key && (r = buf_add_text(ret, "/")) == 0 && (r = url_add_path(ret, az_prefix(s))) == 0)
        r = url_add_path(ret, c->key);
    for (unsigned i = 0; i < c->query_count && r == 0; i++)
        r = url_add_query(ret, c->query[i].name, c->query[i].value);
    if (r == 0 && by->sas)
        r = buf_printf(ret, "%c%s", c->query_count > 0 ? '&' : '?', secret_expose(by->sas));
    return r;
}

static void add_user_headers(const struct az *s, const struct az_call *c, struct http_request *r)
{
    const struct user_headers *user = az_user_headers(s);
    const struct user_header_request request = {
        .creates = c->creates, .object = c->key && !text_eq(c->method, "DELETE"), .readable = c->readable};

    for (unsigned i = 0; i < user->count; i++)
        if (user_header_belongs(&user->item[i], &request))
            http_add_header(r, user->item[i].name, user->item[i].value);
}

static int send_call(const struct az *s, struct http *h, const struct az_call *c, const struct az_credentials *by,
                     struct http_answer *a, struct err *e)
{
    CLEANUP(buf_wipe) struct buf url = {0};
    struct http_request request = {
        .method = c->method, .body = c->body, .body_size = c->body_size, .write = c->write, .ctx = c->write_ctx};
    int r;

    if (make_url(s, c, by, &url) < 0)
        return az_fail(e, -ENOMEM, "out of memory");
    request.url = buf_text(&url);
    http_add_header(&request, "x-ms-version", VERSION);
    for (unsigned i = 0; i < c->header_count; i++)
        http_add_header(&request, c->headers[i].name, c->headers[i].value);
    add_user_headers(s, c, &request);
    if (by->bearer)
        http_add_secret(&request, "Authorization", by->bearer);
    r = http_perform(h, &request, a, e);
    return r < 0 ? err_prefix(e, r, "az") : 0;
}

static int explain(const struct az *s, const struct az_call *c, const struct az_credentials *by,
                   const struct http_answer *a, struct err *e)
{
    struct az_error error = {0};
    char *whole = NULL;
    struct az_failure f = {.status = a->status,
                           .code = error.code,
                           .message = error.message,
                           .retry_after_ms = a->retry_after_ms,
                           .action = c->action,
                           .origin = az_origin(s),
                           .container = az_container(s),
                           .source = by->source,
                           .sas = by->sas != NULL};
    int r;

    if (a->body.size > 0)
        az_xml_error(a->body.data, a->body.size, &error);
    if (!*error.code)
        http_header(a, "x-ms-error-code", error.code, sizeof(error.code));
    if (c->key && asprintf(&whole, "%s%s", az_prefix(s), c->key) < 0)
        return az_fail(e, -ENOMEM, "out of memory");
    f.key = whole;
    r = az_error_explain(&f, e);
    free(whole);
    return r;
}

int az_once(struct az *s, struct http *h, const struct az_call *c, struct http_answer *a, struct err *e)
{
    bool renewed = false;

    assert(c->method && e);
    for (;;) {
        CLEANUP(az_credentials_done) struct az_credentials by = {0};
        struct err ignored;
        int r;

        e->retry_after_ms = 0;
        if (az_credentials_get(s, &by) < 0)
            return az_fail(e, -ENOMEM, "out of memory");
        if ((r = send_call(s, h, c, &by, a, e)) < 0)
            return r;
        if (a->status >= 200 && a->status < 300)
            return 0;
        if (a->status != 401 || renewed || az_renew(s, by.renewals, &ignored) < 0)
            return explain(s, c, &by, a, e);
        renewed = true;
    }
}

int az_perform(struct az *s, struct http *h, const struct az_call *c, struct http_answer *a, struct err *e)
{
    struct retry_state state = {0};
    int r;

    assert(!c->write);
    while ((r = az_once(s, h, c, a, e)) < 0)
        if ((r = request_retry_wait(&state, c->patience, r, e)) < 0)
            return r;
    return 0;
}
