/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests for evidence of running pods, by HTTP: persons ask (who may `create pods/exec` of the pod, says
 * Kubernetes), agents of nodes take and report.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/captures.h"
#include "serve/page.h"
#include "serve/route.h"

enum { BODY_MAX = CAPTURE_MESSAGE_MAX, WAIT_MAX_S = 55 };

static void body_free(void *body)
{
    buf_done(body);
    free(body);
}

static int take_body(struct exchange *x, const void *data, size_t size)
{
    struct request *r = exchange_state(x);

    if (buf_add(r->state, data, size) == 0)
        return 0;
    exchange_answer_text(x, 413, "at most 64 KiB");
    return -EMSGSIZE;
}

static void receive(struct request *r, const struct exchange_body *body)
{
    struct buf *b = calloc(1, sizeof(*b));

    if (!b) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    b->ceiling = BODY_MAX;
    r->state = b;
    r->state_done = body_free;
    exchange_receive(r->exchange, body);
}

/* In plain text, or JSON: whoever asks here is a program. */
static void refuse(struct request *r, unsigned status, const char *sentence)
{
    json_auto_t *root = json_pack("{s:o}", "error", jsonout_text(sentence, sizeof(((struct err *)0)->msg)));

    request_answer_json(r, status, root);
}

/* --- persons --------------------------------------------------------------------------------------------------------
 */

static int set_text(json_t *root, const char *name, const char *text)
{
    return *text ? json_object_set_new(root, name, jsonout_text(text, CAPTURE_URL_MAX)) : 0;
}

static json_t *view_json(const struct capture_view *v)
{
    const struct capture_order *o = &v->offer.order;
    json_t *root = json_pack("{s:s, s:s, s:I, s:I}", "id", v->offer.id, "state", capture_state_name(v->report.state),
                             "version", (json_int_t)v->version, "seconds", (json_int_t)(v->age_ms / 1000));

    if (root && set_text(root, "namespace", o->namespace) == 0 && set_text(root, "pod", o->pod) == 0 &&
        set_text(root, "container", o->container) == 0 && set_text(root, "what", capture_what_name(o->what)) == 0 &&
        set_text(root, "by", v->offer.by) == 0 && set_text(root, "node", v->report.node) == 0 &&
        set_text(root, v->report.state == CAPTURE_FAILED ? "error" : "progress", v->report.text) == 0 &&
        set_text(root, "key", v->report.key) == 0 && set_text(root, "url", v->report.url) == 0)
        return root;
    json_decref(root);
    return NULL;
}

static void answer_view(struct request *r, unsigned status, const struct capture_view *v)
{
    json_auto_t *root = view_json(v);

    request_answer_json(r, status, root);
}

/* Whether the API server lets the caller do this; else it has answered. */
static bool may_ask(struct request *r, const struct capture_order *o)
{
    struct err e = {0};
    int result = caller_may_exec(r->serve->access, r->caller, o->namespace, o->pod, &e);

    if (result == 1)
        return true;
    if (result == -FAULT_UNREACHABLE || result == -ENOMEM) {
        exchange_add_header(r->exchange, "Retry-After", "5");
        refuse(r, 503, "whether you may `create pods/exec` cannot be found out just now");
        return false;
    }
    r->refused = true;
    if (result == 0)
        err_set(&e, -FAULT_DENIED, "%.80s may not `create pods/exec` for the pod %.80s in the namespace %s",
                caller_name(r->caller), o->pod, o->namespace);
    refuse(r, 403, e.msg);
    return false;
}

static void end_of_order(struct exchange *x)
{
    struct request *r = exchange_state(x);
    const struct buf *body = r->state;
    CLEANUP_FREE struct capture_view *view = calloc(1, sizeof(*view));
    CLEANUP(buf_done) struct buf location = {0}, object = {0};
    struct capture_order order;
    char id[CAPTURE_ID_MAX];
    struct err e = {0};
    int result;

    if (!view) {
        refuse(r, 503, "out of memory");
        return;
    }
    if (capture_order_read(buf_text(body), body->size, &order, &e) < 0) {
        refuse(r, 400, e.msg);
        return;
    }
    if (buf_printf(&object, "%s/%s", order.namespace, order.pod) == 0)
        request_audit(r, "capture", buf_text(&object), 0);
    if (!may_ask(r, &order))
        return;
    if ((result = captures_add(r->serve->captures, &order, caller_name(r->caller), id, &e)) < 0) {
        exchange_add_header(x, "Retry-After", "10");
        refuse(r, result == -FAULT_BUSY ? 429 : 503, e.msg);
        return;
    }
    if (captures_wait(r->serve->captures, id, 0, 0, view) < 0 ||
        buf_printf(&location, "/" CAPTURE_PATH "/%s", id) < 0) {
        refuse(r, 503, "out of memory");
        return;
    }
    exchange_add_header(x, "Location", buf_text(&location));
    answer_view(r, 202, view);
}

/* Who asked, or may read what comes of it. */
static bool may_see(struct request *r, const struct capture_view *v)
{
    char name[CAPTURE_BY_MAX];

    snprintf(name, sizeof(name), "%s", caller_name(r->caller));
    return (!caller_is_anonymous(r->caller) && text_eq(name, v->offer.by)) ||
           caller_rights(r->serve->access, r->caller, v->offer.order.namespace) & RIGHT_READ;
}

/* A number of the query; 0 without. */
static uint64_t query_number(const struct request *r, const char *name)
{
    const char *text = exchange_query(r->exchange, name);
    uint64_t n;

    return text && text_parse_uint(text, INT64_MAX, &n) == 0 ? n : 0;
}

static uint64_t query_until(const struct request *r)
{
    uint64_t seconds = query_number(r, "wait");

    return clock_mono_ms() + (seconds < WAIT_MAX_S ? seconds : WAIT_MAX_S) * 1000;
}

static void answer_state(struct request *r, const char *id)
{
    CLEANUP_FREE struct capture_view *view = calloc(1, sizeof(*view));

    if (!view)
        refuse(r, 503, "out of memory");
    else if (captures_wait(r->serve->captures, id, 0, 0, view) < 0 || !may_see(r, view))
        refuse(r, 404, "there is no such request: they are known for an hour after their end, until a restart");
    else if (captures_wait(r->serve->captures, id, query_number(r, "version"), query_until(r), view) < 0)
        refuse(r, 404, "the request is no longer known");
    else
        answer_view(r, 200, view);
}

void captures_answer(struct request *r)
{
    static const struct exchange_body ORDER = {.data = take_body, .end = end_of_order};

    if (caller_is_anonymous(r->caller)) {
        r->rights = 0; /* --anonymous-read is for what is stored */
        request_may(r, RIGHT_READ);
    } else if (text_eq(r->key, CAPTURE_PATH)) {
        receive(r, &ORDER);
    } else {
        answer_state(r, r->key + strlen(CAPTURE_PATH "/"));
    }
}

/* --- agents ---------------------------------------------------------------------------------------------------------
 */

static bool is_agent_of(void *ctx, const char *namespace)
{
    struct request *r = ctx;

    return caller_rights(r->serve->access, r->caller, namespace) & RIGHT_AGENT;
}

static int find_right(void *ctx, const char *namespaces, unsigned rights)
{
    bool *found = ctx;

    (void)namespaces;
    *found = *found || rights & RIGHT_AGENT;
    return 0;
}

/* Whether the caller is an agent, of this node where its token says which; else it has answered. */
static bool is_agent(struct request *r, const char *node)
{
    bool agent = false;

    if (caller_is_anonymous(r->caller)) {
        r->rights = 0;
        request_may(r, RIGHT_READ);
        return false;
    }
    caller_each_grant(r->caller, find_right, &agent);
    if (agent && (!*caller_node(r->caller) || text_eq(caller_node(r->caller), node)))
        return true;
    r->refused = true;
    refuse(r, 403,
           agent ? "this token is bound to another node"
                 : "this is for agents of nodes: a token with the right agent, or of an account of --agents");
    return false;
}

static void answer_offers(struct request *r)
{
    const char *node = exchange_query(r->exchange, "node");
    CLEANUP_FREE struct capture_offers *offers = calloc(1, sizeof(*offers));
    CLEANUP(buf_done) struct buf text = {0};
    struct capture_agent agent = {
        .node = node, .after = query_number(r, "after"), .until_ms = query_until(r), .may = is_agent_of, .ctx = r};
    struct err e = {0};

    if (!node || !capture_is_name(node)) {
        refuse(r, 400, "node=NAME is missing");
        return;
    }
    if (!is_agent(r, node))
        return;
    if (!offers || captures_offer(r->serve->captures, &agent, offers, &e) < 0 ||
        capture_offers_write(offers, &text) < 0) {
        exchange_add_header(r->exchange, "Retry-After", "10");
        refuse(r, 503, *e.msg ? e.msg : "out of memory");
        return;
    }
    exchange_add_header(r->exchange, "Content-Type", "application/json");
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_answer(r->exchange, 200, text.data, text.size);
}

static void end_of_report(struct exchange *x)
{
    struct request *r = exchange_state(x);
    const struct buf *body = r->state;
    CLEANUP_FREE struct capture_report *report = calloc(1, sizeof(*report));
    struct err e = {0};
    int result;

    if (!report) {
        refuse(r, 503, "out of memory");
        return;
    }
    if (capture_report_read(buf_text(body), body->size, report, &e) < 0) {
        refuse(r, 400, e.msg);
        return;
    }
    if (!is_agent(r, report->node))
        return;
    result = captures_report(r->serve->captures, r->key + strlen(CAPTURE_AGENT_PATH "/"), report, is_agent_of, r);
    if (result == -ENOENT)
        refuse(r, 404, "there is no such request");
    else if (result < 0)
        refuse(r, 409, "another agent has taken it, or it is over");
    else
        exchange_answer(x, 204, NULL, 0);
}

void captures_agent(struct request *r)
{
    static const struct exchange_body REPORT = {.data = take_body, .end = end_of_report};

    if (text_eq(r->key, CAPTURE_AGENT_PATH))
        answer_offers(r);
    else
        receive(r, &REPORT);
}
