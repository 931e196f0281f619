/* SPDX-License-Identifier: Apache-2.0
 *
 * /-/case/ID: what died and why, then what there is to look at, when it happened, and who it was.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "linux/pause.h"
#include "net/url.h"
#include "place/workload.h"
#include "serve/page_heap.h"

static void write_crumbs(struct html *h, const struct evidence *v, const struct manifest *m)
{
    CLEANUP(buf_done) struct buf url = {0};
    char workload[WORKLOAD_MAX];

    if (buf_add_text(&url, "/" REQUEST_OWN "cases") < 0 || url_add_query(&url, "namespace", v->namespace) < 0)
        return;
    html_begin_class(h, "nav", "crumbs");
    html_attr(h, "aria-label", "Where you are");
    html_link(h, "/" REQUEST_OWN "cases", "Cases");
    html_text(h, " / ");
    html_link(h, buf_text(&url), v->namespace);
    if (m->where.pod && url_add_query(&url, "workload", workload_of_pod(m->where.pod, workload)) == 0) {
        html_text(h, " / ");
        html_link(h, buf_text(&url), workload);
    }
    html_end(h);
}

static void write_tag(struct html *h, const char *text)
{
    if (text && *text)
        html_element(h, "span", "tag", text);
}

static void write_hero(struct html *h, const struct request *r, const struct evidence *v, const struct heap_answers *a)
{
    const struct manifest *m = &v->object[0];
    char sentence[WHY_MAX];

    html_begin_class(h, "div", "hero");
    html_element(h, "h1", NULL, why_sentence_of_kill(m, &v->kill, sentence));
    html_begin_class(h, "p", "lead");
    html_text(h, m->where.place ? m->where.place : v->namespace);
    html_text(h, ", ");
    page_age(h, m->time.modified ? m->time.modified : m->time.shipped);
    html_end(h);
    heap_answers_lead(h, v, a);
    html_begin_class(h, "div", "tags");
    write_tag(h, m->cause);
    write_tag(h, m->partial ? "partial" : NULL);
    write_tag(h, v->pinned ? "pinned" : NULL);
    html_end(h);
    evidence_care(h, r, v);
    html_end(h);
    if (m->partial) {
        html_begin_class(h, "p", "note");
        html_text(h, "The ");
        html_text(h, why_kind(m->kind));
        html_text(h, " is not whole: ");
        html_text(h, m->partial);
        html_end(h);
    }
    if (v->broken > 0 || v->total > v->count + v->broken) {
        html_begin_class(h, "p", "note");
        html_printf(h, "%u of %u objects are not shown: %u have a manifest that is damaged, or another's.",
                    v->total - v->count, v->total, v->broken);
        html_end(h);
    }
}

static void write_moment(struct html *h, const char *text, int64_t time_ns)
{
    if (time_ns <= 0)
        return;
    html_begin(h, "li");
    html_text(h, text);
    page_time(h, time_ns);
    html_end(h);
}

static void write_timeline(struct html *h, const struct manifest *m)
{
    char pause[PAUSE_TEXT_MAX];

    html_begin(h, "section");
    html_element(h, "h2", NULL, "Timeline");
    html_begin_class(h, "ol", "line");
    write_moment(h, "Last written to", m->time.modified);
    write_moment(h, "Found", m->time.found);
    write_moment(h, "Complete", m->time.settled);
    if (m->pause.us > 0) {
        html_begin(h, "li");
        html_text(h, "The process stood still for ");
        html_text(h, pause_print(&m->pause, pause));
        html_end(h);
    }
    write_moment(h, "In the store and verified", m->time.shipped);
    html_end(h);
    html_end(h);
}

static void write_fact(struct html *h, const char *name, const char *value)
{
    if (value && *value)
        html_fact(h, name, NULL, value);
}

static void write_number(struct html *h, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    write_fact(h, name, value ? text : NULL);
}

static void write_identity(struct html *h, const struct manifest *m)
{
    const struct {
        const char *name, *value;
    } facts[] = {
        {"Namespace", m->where.namespace},
        {"Pod", m->where.pod},
        {"Owner", m->where.owner},
        {"Container", m->where.container},
        {"Image", m->where.image},
        {"Digest", m->where.image_digest},
        {"Node", m->where.node},
        {"Host", m->where.host},
        {"Cluster", m->where.cluster},
        {"Task family", m->where.family},
        {"Revision", m->where.revision},
        {"Task", m->where.task},
        {"Instance", m->where.instance},
        {"Type", m->where.instance_type},
        {"Region", m->where.region},
        {"Zone", m->where.zone},
        {"JVM", m->process.jvm},
        {"Command", m->process.command},
        {"File", m->path},
        {"It says", m->origin.detail},
    };

    html_begin(h, "section");
    html_element(h, "h2", NULL, "Identity");
    html_begin_class(h, "dl", "facts");
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
        write_fact(h, facts[i].name, facts[i].value);
    write_number(h, "Process", m->process.pid);
    html_end(h);
    html_end(h);
}

/* Where the objects lie, unless the case is a single one of another name. */
static void write_folder(struct html *h, const struct evidence *v)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (!(v->rights & RIGHT_READ) || text_eq(v->object[0].key, v->id) || buf_add_text(&url, "/") < 0 ||
        url_add_path(&url, v->id) < 0 || buf_add_text(&url, "/") < 0)
        return;
    html_begin_class(h, "p", "pages");
    html_link(h, buf_text(&url), "The folder");
    html_end(h);
}

static void write_objects(struct html *h, const struct evidence *v, const struct request *r)
{
    html_begin(h, "section");
    html_element(h, "h2", NULL, "Evidence");
    if (!(v->rights & RIGHT_READ)) {
        html_begin_class(h, "p", "note");
        html_text(h,
                  "You may see that this happened, and why. Evidence holds secrets: to download it or to look inside, "
                  "you need the right to read in the namespace ");
        html_element(h, "b", NULL, v->namespace);
        html_text(h, " (in Kubernetes: create pods/exec).");
        html_end(h);
    }
    for (unsigned i = 0; i < v->count; i++)
        evidence_write(h, v, i, r);
    write_folder(h, v);
    html_end(h);
}

static void write_insides(struct html *h, struct request *r, const struct evidence *v, const struct heap_answers *a)
{
    static const char *const texts[] = {"hs-err", "thread-dump", "javacore", "native-memory"};

    evidence_record(h, v);
    evidence_analysis(h, r, v);
    heap_answers_write(h, a);
    if (!(v->rights & RIGHT_READ))
        return;
    evidence_histogram(h, r->serve, v);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (evidence_find(v, texts[i]))
            evidence_text(h, r->serve, v, evidence_find(v, texts[i]));
}

static void write_case(struct request *r, const struct evidence *v)
{
    CLEANUP(heap_answers_done) struct heap_answers a;
    const struct manifest *m = &v->object[0];
    char sentence[WHY_MAX];
    struct page p;
    struct html *h = &p.html;

    heap_answers_load(r->serve, v, &a);
    why_sentence_of_kill(m, &v->kill, sentence);
    if (a.digest || a.analysis)
        page_begin_heap(&p, r, sentence);
    else
        page_begin(&p, r, sentence, NULL);
    write_crumbs(h, v, m);
    write_hero(h, r, v, &a);
    heap_answers_jump(h, v, &a);
    html_begin_class(h, "div", "two");
    html_begin(h, "div");
    write_insides(h, r, v, &a);
    html_begin(h, "div");
    html_attr(h, "id", "evidence");
    write_objects(h, v, r);
    html_end(h);
    heap_answers_write_lists(h, &a);
    html_end(h);
    html_begin(h, "div");
    write_timeline(h, m);
    write_identity(h, m);
    html_end(h);
    html_end(h);
    page_end(&p, 200);
}

void page_case(struct request *r)
{
    const char *show = exchange_query(r->exchange, "show"), *id = r->key + strlen(REQUEST_OWN "case/");
    const struct manifest *m = NULL;
    struct evidence *v;

    if (!*id) {
        page_fail(r, 404, "There is no such case.");
        return;
    }
    if (evidence_open(r, id, &v) < 0)
        return;
    if (show)
        m = evidence_named(v, show);
    if (show && !m)
        page_fail(r, 404, "The case has no such file.");
    else if (show)
        evidence_show(r, v, m, exchange_query(r->exchange, "q"));
    else if (v->count == 0)
        page_fail(r, 500, "The manifests of this case are damaged, or another's.");
    else
        write_case(r, v);
    evidence_free(v);
}
