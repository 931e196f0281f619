/* SPDX-License-Identifier: Apache-2.0
 *
 * The report as JSON.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "inspect/class_order.h"
#include "inspect/heap_report.h"

enum { TEXT_MAX = 2048, JSON_CLASSES_MAX = 10000 };

static json_t *text(const char *t)
{
    return t ? jsonout_text(t, TEXT_MAX) : json_null();
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

static json_t *texts(char *const *item, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, text(item[i]));
    return array;
}

static json_t *suspect_json(const struct heap_report *r, const struct suspect *s)
{
    const struct heap_type_info *types = r->heap->types;
    json_t *o = json_pack("{so so so so so so so so}", "class", text(types[s->type].name), "count", number(s->count),
                          "retained_bytes", number(s->bytes), "percent",
                          json_real(r->retained.reachable ? (double)s->bytes * 100 / (double)r->retained.reachable : 0),
                          "holder", text(s->holder), "path", texts(s->path, s->path_count), "point_class",
                          text(types[heap_type_of(r->heap, s->point)].name), "point_bytes", number(s->point_bytes));

    if (o && s->content != HEAP_NONE)
        json_object_set_new(o, "content",
                            json_pack("{so so so}", "class", text(types[s->content].name), "count",
                                      number(s->content_count), "bytes", number(s->content_bytes)));
    return o;
}

static json_t *thread_json(const struct heap_thread *t, bool frames)
{
    return json_pack("{so so sb so*}", "name", text(t->name), "retained_bytes", number(t->retained), "out_of_memory",
                     t->out_of_memory, "frames", frames || t->out_of_memory ? texts(t->frames, t->frame_count) : NULL);
}

static json_t *classes_json(const struct heap_report *r)
{
    CLEANUP_FREE uint32_t *order = class_order(r->heap);
    json_t *array = json_array();

    for (uint32_t i = 0; order && i < r->heap->type_count && i < JSON_CLASSES_MAX; i++) {
        const struct heap_type_info *t = &r->heap->types[order[i]];

        if (t->count)
            json_array_append_new(array, json_pack("{so so so}", "class", text(t->name), "count", number(t->count),
                                                   "bytes", number(t->bytes)));
    }
    return array;
}

json_t *heap_report_json(const struct heap_report *r, const struct heap_report_view *view)
{
    char time[CLOCK_TEXT_MAX];
    json_t *suspects = json_array(), *threads = json_array();

    for (size_t i = 0; i < r->suspects.count; i++)
        json_array_append_new(suspects, suspect_json(r, &r->suspects.suspect[i]));
    for (size_t i = 0; i < r->threads.count; i++)
        json_array_append_new(threads, thread_json(&r->threads.thread[i], view->threads));
    return json_pack("{ss so so so* so so so so so so so so}", "schema", "salvage.analysis/1", "name", text(r->name),
                     "time", text(clock_format(r->heap->reader.time_ms * 1000000, time)), "cut",
                     r->heap->reader.cut ? text(r->heap->reader.cut) : NULL, "dump_bytes", number(r->dump_bytes),
                     "objects", number(r->heap->objects - r->retained.unreachable_count), "reachable_bytes",
                     number(r->retained.reachable), "unreachable_objects", number(r->retained.unreachable_count),
                     "unreachable_bytes", number(r->retained.unreachable), "suspects", suspects, "threads", threads,
                     "classes", classes_json(r));
}
