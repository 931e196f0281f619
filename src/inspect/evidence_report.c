/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of the kinds. A record is known by its schema near its beginning.
 */
#include "inspect/evidence_report.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/evidence_parts.h"
#include "inspect/report_parts.h"
#include "ship/content.h"
#include "ship/why.h"

static bool has(const void *data, size_t size, const char *words)
{
    return memmem(data, size < CONTENT_HEAD_MAX ? size : CONTENT_HEAD_MAX, words, strlen(words)) != NULL;
}

static bool is_json(const void *data, size_t size, const char *schema)
{
    const char *text = data;
    size_t blanks = 0;

    while (blanks < size && strchr(" \t\r\n", text[blanks]) && text[blanks])
        blanks++;
    return blanks < size && text[blanks] == '{' && has(data, size, schema);
}

static bool is_crash_log(const void *data, size_t size)
{
    return content_of(data, size) == CONTENT_HS_ERR;
}

static bool is_snapshot(const void *data, size_t size)
{
    return content_of(data, size) == CONTENT_HEAP_SNAPSHOT;
}

static bool is_kill(const void *data, size_t size)
{
    return is_json(data, size, "\"salvage.oom-kill/1\"");
}

static bool is_jvm_end(const void *data, size_t size)
{
    return is_json(data, size, "\"salvage.jvm-end/1\"");
}

static bool is_manifest(const void *data, size_t size)
{
    return is_json(data, size, "\"" MANIFEST_SCHEMA "\"");
}

/* HotSpot's title, OpenJ9's. Thread dumps with a histogram behind them do not begin so. */
static bool is_histogram(const void *data, size_t size)
{
    return (has(data, size, "#instances") && has(data, size, "#bytes") && !has(data, size, "Full thread dump ")) ||
           (has(data, size, "object count") && has(data, size, "total size") && has(data, size, "class name"));
}

static const struct row {
    const char *kind;
    bool (*probe)(const void *data, size_t size);
    int (*report)(struct evidence_writer *w, const void *data, size_t size);
} ROWS[] = {
    {"hs-err", is_crash_log, crash_log_report}, {"heap-snapshot", is_snapshot, snapshot_report},
    {"oom-kill", is_kill, kill_report},         {"jvm-end", is_jvm_end, jvm_end_report},
    {"manifest", is_manifest, manifest_report}, {"class-histogram", is_histogram, histogram_report},
};

const char *evidence_report_kind(const void *data, size_t size)
{
    for (size_t i = 0; size > 0 && i < ARRAY_SIZE(ROWS); i++)
        if (ROWS[i].probe(data, size))
            return ROWS[i].kind;
    return NULL;
}

static int begin(struct evidence_writer *w, const char *schema)
{
    if (!(w->to->json = json_object()))
        return -ENOMEM;
    evidence_field(w, "schema", json_string(schema));
    return 0;
}

static int end(const struct evidence_writer *w, int r, struct err *e)
{
    r = r < 0 ? r : w->failed;
    if (r == -EBADMSG)
        return err_set(e, -FAULT_FORMAT, "it is damaged: it can't be read");
    return r < 0 ? err_set(e, r, "%s", r == -ENOMEM ? "out of memory" : strerror(-r)) : 0;
}

int evidence_report_make(const char *kind, const void *data, size_t size, const struct evidence_view *view,
                         struct evidence_report *ret, struct err *e)
{
    struct evidence_writer w = {.to = ret, .view = view};
    size_t i = 0;
    int r = begin(&w, "salvage.evidence/1");

    assert(kind && data && view);
    while (i < ARRAY_SIZE(ROWS) - 1 && !text_eq(ROWS[i].kind, kind))
        i++;
    evidence_field(&w, "kind", json_string(kind));
    evidence_field(&w, "name", report_text(view->name));
    evidence_title(&w, view->name);
    evidence_title(&w, text_eq(kind, "manifest") ? "Manifest" : why_kind(kind));
    if (r == 0)
        r = ROWS[i].report(&w, data, size);
    return end(&w, r, e);
}

int evidence_report_compare(const void *const data[2], const size_t size[2], const struct evidence_view view[2],
                            struct evidence_report *ret, struct err *e)
{
    struct evidence_writer w = {.to = ret, .view = &view[1]};
    struct histogram h[2] = {{0}};
    int r = begin(&w, "salvage.histograms/1");

    for (unsigned n = 0; n < 2 && r == 0; n++) {
        r = histogram_read(data[n], size[n], &h[n]);
        if (r == 0 && h[n].count == 0)
            r = -EBADMSG;
    }
    if (r == 0)
        r = histograms_report(&w, h, (const char *const[]){view[0].name, view[1].name});
    histogram_done(&h[0]);
    histogram_done(&h[1]);
    return end(&w, r, e);
}

void evidence_report_done(struct evidence_report *r)
{
    json_decref(r->json);
    buf_done(&r->text);
    *r = (struct evidence_report){0};
}
