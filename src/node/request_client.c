/* SPDX-License-Identifier: Apache-2.0
 *
 * The server answers a poll after POLL_S at the latest: longer silence is a broken connection.
 */
#include "node/request_client.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/json_read.h"
#include "base/text.h"
#include "net/service.h"
#include "store/http/http_auth.h"

enum { POLL_S = 50, SILENT_MS = (POLL_S + 15) * 1000, POLL_MS = (POLL_S + 30) * 1000, REPORT_MS = 20 * 1000 };

struct request_client {
    struct request_client_config config;
    struct http *http;
    struct http_auth *auth;
};

int request_client_new(const struct request_client_config *config, struct request_client **ret, struct err *e)
{
    CLEANUP(request_client_free_ptr) struct request_client *c = calloc(1, sizeof(*c));
    const struct http_options options = {.ca_file = (char *)config->ca_file, .timeout_ms = SILENT_MS};
    int r;

    assert(config->url && config->node && ret);
    if (!c)
        return err_set(e, -ENOMEM, "out of memory");
    c->config = *config;
    if ((r = http_auth_new(config->credentials, &c->auth, e)) < 0 || (r = http_new(&options, &c->http, e)) < 0)
        return r;
    *ret = TAKE_PTR(c);
    return 0;
}

void request_client_free(struct request_client *c)
{
    if (!c)
        return;
    http_free(c->http);
    http_auth_free(c->auth);
    free(c);
}

static void add_headers(struct request_client *c, struct http_request *r)
{
    const struct secret *secret = http_auth_current(c->auth);

    if (secret)
        http_add_secret(r, "Authorization", secret);
    http_add_header(r, "Accept", "application/json");
}

/* The server's own sentence, if there is one. */
static int refused(const struct http_answer *a, struct err *e)
{
    json_auto_t *root = json_read_object(buf_text(&a->body), a->body.size, CAPTURE_MESSAGE_MAX);
    const char *sentence = json_read_text(root, "error");
    char shown[160];

    e->retry_after_ms = a->retry_after_ms;
    if (a->status == 404 && *sentence)
        return err_set(e, -ENOENT, "the server no longer knows the request");
    if (a->status == 409)
        return err_set(e, -FAULT_EXISTS, "another agent has the request, or it is over");
    return err_set(e,
                   a->status == 401 || a->status == 403   ? -FAULT_DENIED
                   : a->status == 429 || a->status >= 500 ? -FAULT_BUSY
                   : a->status == 404 || a->status == 405 ? -FAULT_FORMAT
                                                          : -FAULT_REFUSED,
                   "the server answers %ld%s%s", a->status, *sentence ? ": " : "",
                   text_printable(sentence, shown, sizeof(shown)));
}

int request_client_poll(struct request_client *c, uint64_t after, bool waits, struct capture_offers *ret, struct err *e)
{
    CLEANUP_FREE char *url = NULL;
    struct http_request request = {.method = "GET", .limit_ms = POLL_MS};
    struct http_answer answer = {.body.ceiling = CAPTURE_MESSAGE_MAX};
    int r;

    if (asprintf(&url, "%s/" CAPTURE_AGENT_PATH "?node=%s&after=%" PRIu64 "&wait=%d", c->config.url, c->config.node,
                 after, waits ? POLL_S : 0) < 0) {
        url = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    request.url = url;
    add_headers(c, &request);
    r = http_perform(c->http, &request, &answer, e);
    if (r == 0 && answer.status != 200)
        r = refused(&answer, e);
    else if (r == 0 && (r = capture_offers_read(buf_text(&answer.body), answer.body.size, ret, e)) == -FAULT_USAGE)
        r = err_set(e, -FAULT_FORMAT, "the server's answer is none to an agent: is this `salvage serve`?");
    http_answer_done(&answer);
    return r;
}

int request_client_report(struct request_client *c, const char *id, const struct capture_report *report, struct err *e)
{
    const struct service service = {.name = "the server",
                                    .http = c->http,
                                    .deadline_ms = clock_mono_ms() + REPORT_MS,
                                    .answer_max = CAPTURE_MESSAGE_MAX};
    CLEANUP_FREE char *url = NULL;
    CLEANUP(buf_done) struct buf body = {0};
    struct http_request request = {.method = "POST"};
    struct http_answer answer = {0};
    int r;

    assert(capture_is_id(id));
    if (capture_report_write(report, &body) < 0 ||
        asprintf(&url, "%s/" CAPTURE_AGENT_PATH "/%s", c->config.url, id) < 0) {
        url = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    request.url = url;
    request.body = body.data;
    request.body_size = body.size;
    add_headers(c, &request);
    http_add_header(&request, "Content-Type", "application/json");
    r = service_ask(&service, &request, &answer, e);
    if (r == 0 && (answer.status < 200 || answer.status > 299))
        r = refused(&answer, e);
    service_answer_done(&answer);
    return r;
}
