/* SPDX-License-Identifier: Apache-2.0
 *
 * Two dumps in the process that analyses: the first heap is gone before the second is read, what is left of it is its
 * analysis.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "cmd/inspect_child.h"
#include "inspect/analysis.h"
#include "inspect/comparison_page.h"
#include "inspect/heap_report.h"
#include "inspect/thread_report.h"

enum { SCHEMA_WITHIN = 256, ANALYSIS_MAX = 64 * 1024 * 1024 /* bytes */ };

bool inspection_is_analysis(const void *data, size_t size)
{
    static const char schema[] = "\"salvage.analysis/1\"";

    return size > 0 && *(const char *)data == '{' &&
           memmem(data, size < SCHEMA_WITHIN ? size : SCHEMA_WITHIN, schema, strlen(schema));
}

static int read_analysis(const struct inspection *i, json_t **ret, struct err *e)
{
    json_t *a = json_read_object(i->file->data, i->file->size, ANALYSIS_MAX);

    if (!a || !analysis_known(a)) {
        json_decref(a);
        return err_set(e, -FAULT_CORRUPT, "%s: an analysis that is damaged", i->name);
    }
    *ret = a;
    return 0;
}

static int analyse(const struct inspection *i, json_t **ret, struct err *e)
{
    const struct heap_report_view view = {.threads = false};
    struct heap_report report;
    int r;

    if (i->limits->fd >= 0 && ftruncate(i->limits->fd, 0) < 0)
        return err_set(e, -errno, "the temporary file: %s", strerror(errno));
    if ((r = heap_report_make(&report, i->file->data, i->file->size, i->limits, e)) < 0)
        return err_prefix(e, r, "%s", i->name);
    report.name = i->name;
    *ret = heap_report_json(&report, &view);
    heap_report_done(&report);
    return *ret ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int load(const struct inspection *i, json_t **ret, struct err *e)
{
    int r = inspection_is_analysis(i->file->data, i->file->size) ? read_analysis(i, ret, e) : analyse(i, ret, e);

    if (r == 0 && json_object_set_new(*ret, "name", json_string(i->name)) < 0)
        json_object_set_new(*ret, "name", json_string("?")); /* no UTF-8 */
    return r;
}

static int show(const struct inspection *i, const struct comparison *c, struct err *e)
{
    CLEANUP(buf_done) struct buf page = {0};
    int r;

    if (i->view->page) {
        r = comparison_page(c, &page, e);
        return r == 0 && fwrite(page.data, 1, page.size, i->out) != page.size
                   ? err_set(e, -EIO, "cannot write the answer")
                   : r;
    }
    if (i->view->json)
        return inspection_write_json(comparison_json(c), i->out, e);
    comparison_print(c, inspection_rows(i->view), i->view->bold, i->out);
    return 0;
}

int inspection_compare_heaps(const struct inspection i[2], struct err *e)
{
    CLEANUP(comparison_done) struct comparison c = {0};
    json_t *heap[2] = {NULL, NULL};
    int r = load(&i[0], &heap[0], e);

    if (r == 0)
        r = load(&i[1], &heap[1], e);
    if (r == 0)
        r = comparison_make(heap[0], heap[1], &c, e);
    if (r == 0)
        r = show(i, &c, e);
    json_decref(heap[0]);
    json_decref(heap[1]);
    return r;
}

int inspection_compare_threads(const struct inspection i[2], struct err *e)
{
    const struct inspect_view *v = i->view;
    const struct thread_report_view view = {.top = inspection_rows(v), .threads = v->threads, .bold = v->bold};
    const void *const data[] = {i[0].file->data, i[1].file->data};
    const size_t size[] = {i[0].file->size, i[1].file->size};
    struct thread_report report;
    int r = v->page ? err_set(e, -FAULT_USAGE, "--html is for heap dumps, and these are thread dumps")
                    : thread_report_compare(&report, data, size, e);

    if (r < 0)
        return r;
    report.name = i[1].name;
    if (v->json)
        r = inspection_write_json(thread_report_json(&report, &view), i->out, e);
    else
        thread_report_print(&report, &view, i->out);
    thread_report_done(&report);
    return r;
}
