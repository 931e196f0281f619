/* SPDX-License-Identifier: Apache-2.0
 *
 * Pins and deletions of cases by people: the forms on a case's page, the question before a deletion, and what they
 * send. Forms without a script; POST with the caller's csrf, as all that changes something.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/page_evidence.h"
#include "serve/root.h"
#include "serve/route.h"
#include "serve/serve_sink.h"
#include "ship/case_facts.h"
#include "ship/case_remove.h"

enum { NAMES_SHOWN = 20 };

#define PIN REQUEST_OWN "pin"
#define UNPIN REQUEST_OWN "unpin"
#define DELETE REQUEST_OWN "delete"

/* "/-/pin?case=ID", and with csrf what a form sends. */
static int action_url(struct buf *url, const char *action, const char *id, const char *csrf)
{
    int r = buf_printf(url, "/%s", action);

    if (r == 0)
        r = url_add_query(url, "case", id);
    return r == 0 ? url_add_query(url, "csrf", csrf) : r;
}

static void write_form(struct html *h, const struct request *r, const char *action, const char *id, const char *text)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (action_url(&url, action, id, caller_csrf(r->caller)) < 0)
        return;
    html_begin(h, "form");
    html_attr(h, "method", "post");
    html_attr(h, "action", buf_text(&url));
    html_begin_class(h, "button", text_eq(action, DELETE) ? "danger" : NULL);
    html_text(h, text);
    html_end(h);
    html_end(h);
}

void evidence_care(struct html *h, const struct request *r, const struct evidence *v)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (!(v->rights & RIGHT_DELETE) || action_url(&url, DELETE, v->id, NULL) < 0)
        return;
    html_begin_class(h, "div", "actions");
    write_form(h, r, v->pinned ? UNPIN : PIN, v->id, v->pinned ? "Unpin" : "Pin: keep it from retention");
    html_begin_class(h, "a", "button");
    html_attr(h, "href", buf_text(&url));
    html_text(h, "Delete…");
    html_end(h);
    html_end(h);
}

static void fail(struct request *r, int result, const struct err *e)
{
    if (result == -FAULT_NO_OBJECT)
        page_fail(r, 404, "There is no such case.");
    else
        page_fail_store(r, result, e);
}

static int list_case(struct sink *sink, const char *id, struct case_objects *ret, struct err *e)
{
    int result = case_objects_list(sink, id, case_is_folder(id), ret, e);

    if (result < 0)
        return result;
    return ret->keys.count > 0 ? 0 : err_set(e, -FAULT_NO_OBJECT, "there is no such case");
}

static int pin(struct request *r, const char *id, bool pinned, struct err *e)
{
    CLEANUP(buf_done) struct buf key = {0};
    struct sink *sink;
    int result = buf_printf(&key, "%s" CASE_PIN_SUFFIX, id);

    if (result < 0)
        return err_set(e, result, "out of memory");
    if ((result = serve_sink_take(r->serve, &sink, e)) < 0)
        return result;
    result = case_pin(sink, id, pinned, e);
    serve_sink_give(r->serve, sink);
    if (result < 0)
        return result;
    catalogue_set_pin(r->serve->catalogue, id, pinned);
    if (pinned)
        serve_stored(r->serve, buf_text(&key), 0);
    else
        serve_removed(r->serve, buf_text(&key));
    return 0;
}

static void on_removed(void *ctx, const char *key)
{
    serve_removed(ctx, key);
}

static int delete_case(struct request *r, const char *id, struct err *e)
{
    CLEANUP(case_objects_done) struct case_objects objects = {0};
    struct sink *sink;
    int result = serve_sink_take(r->serve, &sink, e);

    if (result < 0)
        return result;
    if ((result = list_case(sink, id, &objects, e)) == 0) {
        request_audit(r, "deletion", id, objects.bytes);
        result = case_remove(sink, &objects.keys, on_removed, r->serve, e);
    }
    serve_sink_give(r->serve, sink);
    if (result < 0)
        return result;
    catalogue_drop(r->serve->catalogue, &objects.keys);
    return pin(r, id, false, e);
}

static void see_other(struct request *r, const char *path)
{
    exchange_add_header(r->exchange, "Location", path);
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_answer_text(r->exchange, 303, "%s", path);
}

/* To the case, or, as it is gone, to those of its namespace. */
static void answer_done(struct request *r, const char *id, bool deleted)
{
    CLEANUP_FREE char *namespace = case_namespace(id);
    CLEANUP(buf_done) struct buf url = {0};
    int result = buf_add_text(&url, deleted ? "/" REQUEST_OWN "cases" : "/" REQUEST_OWN "case/");

    if (result == 0)
        result = deleted ? url_add_query(&url, "namespace", namespace) : url_add_path(&url, id);
    if (result < 0)
        exchange_answer_text(r->exchange, 503, "out of memory");
    else
        see_other(r, buf_text(&url));
}

static void do_it(struct request *r, const char *id)
{
    bool deletes = text_eq(r->key, DELETE), pins = text_eq(r->key, PIN);
    struct err e = {0};
    int result;

    if (!deletes)
        request_audit(r, pins ? "pin" : "unpin", id, 0);
    result = deletes ? delete_case(r, id, &e) : pin(r, id, pins, &e);
    if (result < 0)
        fail(r, result, &e);
    else
        answer_done(r, id, deletes);
}

static void write_names(struct html *h, const struct case_objects *o)
{
    html_begin(h, "ul");
    for (size_t i = 0; i < o->keys.count && i < NAMES_SHOWN; i++)
        html_element(h, "li", "mono", text_base_name(o->keys.item[i]));
    if (o->keys.count > NAMES_SHOWN) {
        html_begin(h, "li");
        html_printf(h, "and %zu more", o->keys.count - NAMES_SHOWN);
        html_end(h);
    }
    html_end(h);
}

static void write_question(struct page *p, const struct evidence *v, const struct case_objects *o)
{
    struct html *h = &p->html;
    CLEANUP(buf_done) struct buf back = {0};
    char sentence[WHY_MAX];

    html_begin_class(h, "div", "hero");
    html_element(h, "h1", NULL, "Delete this case?");
    html_begin_class(h, "p", "lead");
    html_text(h, v->count > 0 ? why_sentence_of_kill(&v->object[0], &v->kill, sentence) : v->id);
    html_end(h);
    html_begin_class(h, "p", "note");
    html_printf(h, "%zu files, ", o->keys.count);
    page_size(h, o->bytes);
    html_text(h, ", leave the store for good.");
    if (v->pinned)
        html_text(h, " It is pinned: retention would keep it.");
    html_end(h);
    write_names(h, o);
    html_begin_class(h, "div", "actions");
    write_form(h, p->request, DELETE, v->id, "Delete it");
    if (evidence_url(v, NULL, &back) == 0) {
        html_begin_class(h, "a", "button");
        html_attr(h, "href", buf_text(&back));
        html_text(h, "Back to the case");
        html_end(h);
    }
    html_end(h);
    html_end(h);
}

static void ask(struct request *r, const char *id)
{
    CLEANUP(case_objects_done) struct case_objects objects = {0};
    struct sink *sink = NULL;
    struct evidence *v;
    struct err e = {0};
    struct page p;
    int result;

    if (evidence_open(r, id, &v) < 0)
        return;
    if ((result = serve_sink_take(r->serve, &sink, &e)) == 0) {
        result = list_case(sink, id, &objects, &e);
        serve_sink_give(r->serve, sink);
    }
    if (result < 0) {
        fail(r, result, &e);
    } else {
        page_begin(&p, r, "Delete this case?", NULL);
        write_question(&p, v, &objects);
        page_end(&p, 200);
    }
    evidence_free(v);
}

/* Whether there is such a case, and the caller may delete it; else it is answered. */
static bool may_care(struct request *r, const char *id)
{
    bool pinned;
    struct err e = {0};
    int result;

    if (!r->serve->catalogue) {
        page_fail(r, 503, "The catalogue of cases is not available.");
        return false;
    }
    if (!*id || root_hides(id)) {
        page_fail(r, 404, "There is no such case.");
        return false;
    }
    request_use_rights_to(r, id);
    if (!request_may(r, RIGHT_LIST) || !request_may(r, RIGHT_DELETE))
        return false;
    if ((result = catalogue_find_pin(r->serve->catalogue, id, &pinned, &e)) == 0)
        return true;
    fail(r, result, &e);
    return false;
}

void page_care(struct request *r)
{
    const char *id = exchange_query(r->exchange, "case");
    bool post = text_eq(exchange_method(r->exchange), "POST");

    if (!may_care(r, id ? id : ""))
        return;
    if (post)
        do_it(r, id);
    else
        ask(r, id);
}
