/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON of a bounded size, as anybody may have written it; its sections are those of the page that `salvage inspect
 * --html` makes (inspect/analysis.h).
 */
#include "serve/page_heap.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/fault.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/analysis.h"
#include "inspect/digest_html.h"
#include "net/url.h"
#include "ship/case_facts.h"

/* The JSON library takes about ten times the bytes of the text. */
enum { ANSWER_MAX = 8 * 1024 * 1024, SLOTS = 3, SLOT_WAIT_S = 10 };

static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t slots_wake = PTHREAD_COND_INITIALIZER;
static unsigned slots_taken;

static bool take_slot(void)
{
    struct timespec until;
    bool taken;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SLOT_WAIT_S;
    pthread_mutex_lock(&slots_lock);
    while (slots_taken == SLOTS && pthread_cond_timedwait(&slots_wake, &slots_lock, &until) == 0)
        ;
    taken = slots_taken < SLOTS;
    slots_taken += taken;
    pthread_mutex_unlock(&slots_lock);
    return taken;
}

static void give_slot(void)
{
    pthread_mutex_lock(&slots_lock);
    slots_taken--;
    pthread_cond_signal(&slots_wake);
    pthread_mutex_unlock(&slots_lock);
}

bool heap_answers_possible(const struct evidence *v)
{
    return evidence_find(v, "heap-dump") != NULL;
}

DEFINE_CLEANUP(struct sink *, sink_close)

/* *ret stays NULL where there is none. */
static int load(struct sink *sink, void **connection, const struct evidence *v, const char *name, json_t **ret,
                struct err *e)
{
    CLEANUP(buf_done) struct buf key = {0}, text = {.ceiling = ANSWER_MAX};
    int r = case_answer_key(evidence_find(v, "heap-dump")->key, name, &key);

    if (r == 0)
        r = sink->ops->load(sink, connection, buf_text(&key), &text, e);
    if (r == -FAULT_NO_OBJECT) {
        *e = (struct err){0};
        return 0;
    }
    if (r == -EMSGSIZE)
        return err_set(e, -FAULT_FORMAT, "%s is larger than 8 MiB", name);
    if (r < 0)
        return r;
    if (!(*ret = json_read_object(text.data, text.size, ANSWER_MAX)))
        return err_set(e, -FAULT_FORMAT, "%s is damaged", name);
    return 0;
}

static void drop_unknown(json_t **answer, bool (*known)(const json_t *))
{
    if (*answer && !known(*answer)) {
        json_decref(*answer);
        *answer = NULL;
    }
}

/* One that is damaged does not hide the other. */
static void load_both(struct serve *s, const struct evidence *v, struct heap_answers *ret)
{
    CLEANUP(sink_close_ptr) struct sink *sink = NULL;
    void *connection = NULL;
    struct err e = {0};
    int r = sink_open(s->config.store, &sink, &ret->trouble);

    if (r < 0)
        return;
    r = load(sink, &connection, v, CASE_ANALYSIS, &ret->analysis, &ret->trouble);
    if ((r == 0 || r == -FAULT_FORMAT) && load(sink, &connection, v, CASE_DIGEST, &ret->digest, &e) < 0 && r == 0)
        ret->trouble = e;
    sink->ops->load_end(connection);
    drop_unknown(&ret->analysis, analysis_known);
    drop_unknown(&ret->digest, digest_known);
}

void heap_answers_load(struct serve *s, const struct evidence *v, struct heap_answers *ret)
{
    *ret = (struct heap_answers){0};
    if (!(v->rights & RIGHT_READ) || !heap_answers_possible(v))
        return;
    if (!(ret->has_slot = take_slot()))
        err_set(&ret->trouble, -FAULT_BUSY, "too many are shown just now: load the page again");
    else
        load_both(s, v, ret);
}

void heap_answers_done(struct heap_answers *a)
{
    json_decref(a->analysis);
    json_decref(a->digest);
    if (a->has_slot)
        give_slot();
    *a = (struct heap_answers){0};
}

/* Of the heap where there is one: it says more than what was taken beside it. */
static const char *summary_of(const struct evidence *v)
{
    const struct manifest *m = evidence_find(v, "heap-dump");

    return m && m->summary ? m->summary : v->object[0].summary;
}

void heap_answers_lead(struct html *h, const struct evidence *v, const struct heap_answers *a)
{
    const char *summary = summary_of(v);

    if (a->analysis) {
        html_begin_class(h, "p", "finding");
        analysis_html_sentence(h, a->analysis);
        html_text(h, ".");
        html_end(h);
    }
    if (!summary || !*summary)
        return;
    html_begin_class(h, "p", "summary");
    html_text(h, summary);
    html_text(h, ".");
    html_end(h);
}

static bool has_rows(const json_t *answer, const char *name)
{
    return json_array_size(json_object_get(answer, name)) > 0 || json_object_size(json_object_get(answer, name)) > 0;
}

static void write_compare(struct html *h, const struct evidence *v)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (buf_add_text(&url, "/" REQUEST_OWN "compare") == 0 && url_add_query(&url, "b", v->id) == 0)
        html_link(h, buf_text(&url), "Compare with another case");
}

void heap_answers_jump(struct html *h, const struct evidence *v, const struct heap_answers *a)
{
    const struct {
        const char *href, *name;
        bool there;
    } parts[] = {
        {"#suspects", "Suspects", a->analysis != NULL},
        {"#tree", "What keeps it alive", has_rows(a->analysis, "tree")},
        {"#waste", "Waste", has_rows(a->analysis, "waste")},
        {"#threads", "Threads", has_rows(a->analysis ? a->analysis : a->digest, "threads")},
        {"#evidence", "Files", true},
        {"#classes", "Classes", has_rows(a->analysis ? a->analysis : a->digest, "classes")},
        {"#arrays", "Arrays", has_rows(a->digest, "largest_arrays")},
    };

    if (!a->analysis && !a->digest)
        return;
    html_begin_class(h, "nav", "jump");
    html_attr(h, "aria-label", "On this page");
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].there)
            html_link(h, parts[i].href, parts[i].name);
    write_compare(h, v);
    html_end(h);
}

static void write_trouble(struct html *h, const struct heap_answers *a)
{
    if (!*a->trouble.msg)
        return;
    html_begin_class(h, "p", "note");
    html_text(h, "What was found out about the heap can't be shown now: ");
    html_text(h, a->trouble.msg);
    html_end(h);
}

static void write_part(struct html *h, const char *id, void (*write)(struct html *, const json_t *),
                       const json_t *answer)
{
    if (!answer)
        return;
    html_begin_class(h, "div", "analysis-sections");
    html_attr(h, "id", id);
    write(h, answer);
    html_end(h);
}

void heap_answers_write(struct html *h, const struct heap_answers *a)
{
    write_trouble(h, a);
    write_part(h, "suspects", analysis_html_suspects, a->analysis);
    write_part(h, "tree", analysis_html_tree, a->analysis);
    write_part(h, "waste", analysis_html_waste, a->analysis);
    if (!a->analysis)
        write_part(h, "classes", digest_html_classes, a->digest);
    write_part(h, "threads", a->analysis ? analysis_html_threads : digest_html_threads,
               a->analysis ? a->analysis : a->digest);
}

void heap_answers_write_lists(struct html *h, const struct heap_answers *a)
{
    write_part(h, "classes", analysis_html_classes, a->analysis);
    write_part(h, "arrays", digest_html_contents, a->digest);
}
