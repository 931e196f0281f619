/* SPDX-License-Identifier: Apache-2.0
 *
 * The analysis of a case's heap dump: what its page shows of it, the button, and the API: POST asks for it, GET says
 * how it stands. Who may read the dump may have it analysed.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/fault.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/answer_store.h"
#include "serve/page_evidence.h"
#include "serve/route.h"
#include "ship/case_facts.h"

#define ANALYSE REQUEST_OWN "analyse"

static int action_url(struct buf *url, const char *id, const char *csrf)
{
    int r = buf_add_text(url, "/" ANALYSE);

    if (r == 0)
        r = url_add_query(url, "case", id);
    return r == 0 ? url_add_query(url, "csrf", csrf) : r;
}

static void write_button(struct html *h, const struct request *r, const char *id, const char *text)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (action_url(&url, id, caller_csrf(r->caller)) < 0)
        return;
    html_begin(h, "form");
    html_attr(h, "method", "post");
    html_attr(h, "action", buf_text(&url));
    html_element(h, "button", NULL, text);
    html_end(h);
}

/* What this server knows of it, or the store: another server, or its shipper, may have made it. */
static void find_state(struct serve *s, const char *id, const char *key, struct work_state *ret)
{
    struct err ignored;
    int there;

    analysis_state(s->analyses, id, ret);
    if (ret->phase == WORK_QUEUED || ret->phase == WORK_RUNNING)
        return;
    there = answer_is_stored(s, key, CASE_ANALYSIS, &ignored);
    if (there == 1)
        ret->phase = WORK_DONE;
    else if (there == 0 && ret->phase == WORK_DONE)
        ret->phase = WORK_NONE; /* removed since then */
}

static void write_state(struct html *h, const struct work_state *state)
{
    if (state->phase == WORK_NONE)
        return;
    html_begin_class(h, "p", "note");
    if (state->phase == WORK_QUEUED && state->ahead == 0)
        html_text(h, "The heap dump will be analysed next.");
    else if (state->phase == WORK_QUEUED)
        html_printf(h, "The heap dump will be analysed: %u before it.", state->ahead);
    else if (state->phase == WORK_RUNNING)
        html_printf(h, "The heap dump is being analysed, for %llu s now.", (unsigned long long)state->seconds);
    else
        html_text(h, "The analysis of the heap dump failed: ");
    html_text(h, state->why);
    html_end(h);
}

/* The script asks there until it is over, and loads the page again then. */
static void write_waiting(struct html *h, const char *id)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (buf_add_text(&url, "/" REQUEST_OWN "api/analyse") < 0 || url_add_query(&url, "case", id) < 0)
        return;
    html_begin(h, "p");
    html_attr(h, "data-waits", buf_text(&url));
    html_begin(h, "noscript");
    html_text(h, "Load the page again to see how it stands.");
    html_end(h);
    html_end(h);
}

void evidence_analysis(struct html *h, const struct request *r, const struct evidence *v)
{
    const struct manifest *m = evidence_find(v, "heap-dump");
    struct work_state state;

    if (!m || !(v->rights & RIGHT_READ))
        return;
    find_state(r->serve, v->id, m->key, &state);
    if (state.phase == WORK_DONE)
        return; /* the page has it */
    if (state.phase == WORK_QUEUED || state.phase == WORK_RUNNING)
        exchange_add_header(r->exchange, "Refresh", "5");
    html_begin(h, "section");
    html_element(h, "h2", NULL, "Analysis");
    write_state(h, &state);
    if (state.phase == WORK_QUEUED || state.phase == WORK_RUNNING)
        write_waiting(h, v->id);
    if ((state.phase == WORK_NONE || state.phase == WORK_FAILED) && analysis_allowed(r->serve->analyses, v->id))
        write_button(h, r, v->id, state.phase == WORK_NONE ? "Analyse the heap dump" : "Try it again");
    html_end(h);
}

static void answer_json(struct request *r, unsigned status, const char *id, const struct work_state *state)
{
    static const char *const phases[] = {[WORK_NONE] = "none",
                                         [WORK_QUEUED] = "queued",
                                         [WORK_RUNNING] = "running",
                                         [WORK_FAILED] = "failed",
                                         [WORK_DONE] = "done"};
    json_auto_t *root = json_object();

    json_object_set_new(root, "case", jsonout_text(id, 2048));
    json_object_set_new(root, "state", json_string(phases[state->phase]));
    if (state->phase == WORK_QUEUED)
        json_object_set_new(root, "ahead", json_integer(state->ahead));
    if (state->seconds > 0)
        json_object_set_new(root, "seconds", json_integer((json_int_t)state->seconds));
    if (state->phase == WORK_FAILED)
        json_object_set_new(root, "error", jsonout_text(state->why, sizeof(state->why)));
    request_answer_json(r, status, root);
}

static void answer_page(struct request *r, const char *id)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (buf_add_text(&url, "/" REQUEST_OWN "case/") < 0 || url_add_path(&url, id) < 0) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    exchange_add_header(r->exchange, "Location", buf_text(&url));
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_answer_text(r->exchange, 303, "%s", buf_text(&url));
}

static void fail(struct request *r, int result, const struct err *e)
{
    if (result == -FAULT_BUSY)
        exchange_add_header(r->exchange, "Retry-After", "60");
    page_fail(r, result == -FAULT_BUSY ? 503 : result == -FAULT_REFUSED ? 403 : 500, e->msg);
}

static void answer(struct request *r, const char *id, const char *key)
{
    bool asks = text_eq(exchange_method(r->exchange), "POST"), page = text_eq(r->key, ANALYSE);
    struct work_state state;
    struct err e = {0};
    int result;

    find_state(r->serve, id, key, &state);
    if (asks)
        request_audit(r, "analysis", id, 0);
    if (asks && (state.phase == WORK_NONE || state.phase == WORK_FAILED)) {
        if ((result = analysis_request(r->serve->analyses, id, key, &e)) < 0) {
            fail(r, result, &e);
            return;
        }
        find_state(r->serve, id, key, &state);
    }
    if (page)
        answer_page(r, id);
    else
        answer_json(r, state.phase == WORK_QUEUED || state.phase == WORK_RUNNING ? 202 : 200, id, &state);
}

void analyse_answer(struct request *r)
{
    const char *id = exchange_query(r->exchange, "case");
    const struct manifest *m;
    struct evidence *v;

    if (!id || !*id) {
        page_fail(r, 404, "There is no such case.");
        return;
    }
    if (!r->serve->catalogue) {
        page_fail(r, 503, "The catalogue of cases is not available.");
        return;
    }
    if (evidence_open(r, id, &v) < 0)
        return;
    m = evidence_find(v, "heap-dump");
    if (!request_may(r, RIGHT_READ))
        ;
    else if (!m)
        page_fail(r, 409, "The case has no heap dump.");
    else
        answer(r, id, m->key);
    evidence_free(v);
}
