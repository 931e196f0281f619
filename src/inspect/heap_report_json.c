/* SPDX-License-Identifier: Apache-2.0
 *
 * The report as JSON.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "inspect/class_order.h"
#include "inspect/heap_objects.h"
#include "inspect/heap_report.h"
#include "inspect/memory_report.h"
#include "inspect/report_parts.h"
#include "inspect/size_report.h"
#include "inspect/waste_report.h"

enum { JSON_CLASSES_MAX = 10000, JSON_SETS_MAX = 1000 };

static json_t *texts(char *const *item, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, report_text(item[i]));
    return array;
}

static json_t *suspect_json(const struct heap_report *r, const struct suspect *s)
{
    const struct heap_type_info *types = r->heap->types;
    json_t *o = json_pack("{so so so so so so so so}", "class", report_text(types[s->type].name), "count",
                          report_number(s->count), "retained_bytes", report_number(s->bytes), "percent",
                          json_real(r->retained.reachable ? (double)s->bytes * 100 / (double)r->retained.reachable : 0),
                          "holder", report_text(s->holder), "path", texts(s->path, s->path_count), "point_class",
                          report_text(types[heap_type_of(r->heap, s->point)].name), "point_bytes",
                          report_number(s->point_bytes));

    if (o && s->node == HEAP_NONE)
        json_object_set_new(o, "path_percent", report_number(s->path_percent));
    if (o && s->content != HEAP_NONE)
        json_object_set_new(o, "content",
                            json_pack("{so so so}", "class", report_text(types[s->content].name), "count",
                                      report_number(s->content_count), "bytes", report_number(s->content_bytes)));
    return o;
}

static json_t *thread_json(const struct heap_thread *t, bool frames)
{
    return json_pack("{so so sb so*}", "name", report_text(t->name), "retained_bytes", report_number(t->retained),
                     "out_of_memory", t->out_of_memory, "frames",
                     frames || t->out_of_memory ? texts(t->frames, t->frame_count) : NULL);
}

static void add_size(json_t *o, const struct set_size *size)
{
    json_object_set_new(o, "count", report_number(size->count));
    json_object_set_new(o, "bytes", report_number(size->bytes));
    json_object_set_new(o, "retained_bytes", report_number(size->retained));
}

static json_t *packages_json(const struct heap_report *r)
{
    const struct heap_sets *s = &r->sets;
    CLEANUP_FREE uint32_t *order =
        s->package_count ? set_order(&s->package->size, sizeof(*s->package), s->package_count) : NULL;
    json_t *array = json_array();

    for (size_t i = 0; order && i < s->package_count && i < JSON_SETS_MAX; i++) {
        json_t *o = json_pack("{so}", "package", report_text(s->package[order[i]].name));

        add_size(o, &s->package[order[i]].size);
        json_array_append_new(array, o);
    }
    return array;
}

static json_t *loaders_json(const struct heap_report *r)
{
    const struct heap_sets *s = &r->sets;
    CLEANUP_FREE uint32_t *order =
        s->loader_count ? set_order(&s->loader->size, sizeof(*s->loader), s->loader_count) : NULL;
    json_t *array = json_array();

    for (size_t i = 0; order && i < s->loader_count && i < JSON_SETS_MAX; i++) {
        const struct heap_loader *l = &s->loader[order[i]];
        json_t *o = json_pack("{so so so}", "loader", report_text(heap_loader_name(r->heap, l)), "id",
                              report_id(r->heap, l->node), "classes", report_number(l->classes));

        add_size(o, &l->size);
        json_array_append_new(array, o);
    }
    return array;
}

/* A class object is named by its class. */
static json_t *label(const struct heap_report *r, const struct merged_node *m)
{
    uint32_t class = m->count == 1 ? heap_type_of_class(r->heap, m->node) : HEAP_NONE;

    return class == HEAP_NONE ? NULL : report_text(r->heap->types[class].name);
}

static json_t *tree_json(const struct heap_report *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->tree.count; i++) {
        const struct merged_node *m = &r->tree.node[i];

        json_array_append_new(array, json_pack("{so so so so* so so so}", "parent",
                                               i ? report_number(m->parent) : json_null(), "class",
                                               report_text(m->type == HEAP_NONE ? NULL : r->heap->types[m->type].name),
                                               "id", m->count == 1 ? report_id(r->heap, m->node) : json_null(),
                                               "of_class", label(r, m), "count", report_number(m->count), "bytes",
                                               report_number(m->bytes), "retained_bytes", report_number(m->retained)));
    }
    return array;
}

static json_t *classes_json(const struct heap_report *r)
{
    CLEANUP_FREE uint32_t *order = class_order(r->heap);
    json_t *array = json_array();

    for (uint32_t i = 0; order && i < r->heap->type_count && i < JSON_CLASSES_MAX; i++) {
        const struct heap_type_info *t = &r->heap->types[order[i]];

        if (t->count)
            json_array_append_new(array, json_pack("{so so so so so so so*}", "class", report_text(t->name), "count",
                                                   report_number(t->count), "bytes", report_number(t->bytes),
                                                   "retained_bytes", report_number(r->sets.type[order[i]].retained),
                                                   "unreachable_count", report_number(r->sets.garbage[order[i]].count),
                                                   "unreachable_bytes", report_number(r->sets.garbage[order[i]].bytes),
                                                   "measured", t->measured ? json_true() : NULL));
    }
    return array;
}

/* NULL fails json_pack of what it is in, as any part of it does without memory. */
static json_t *contents_json(const struct heap_report *r)
{
    const struct waste_view waste = {&r->waste, &r->collections, r->retained.reachable};

    return json_pack("{so so so so so}", "sizes", size_report_json(r->heap), "waste", waste_report_json(&waste),
                     "finalizers", finalizers_json(&r->references), "buffers", buffers_json(&r->references),
                     "repeated_loaders", loader_groups_json(r->heap, &r->loader_groups));
}

json_t *heap_report_json(const struct heap_report *r, const struct heap_report_view *view)
{
    char time[CLOCK_TEXT_MAX];
    json_t *suspects = json_array(), *threads = json_array(), *all;
    json_auto_t *contents = contents_json(r);

    for (size_t i = 0; i < r->suspects.count; i++)
        json_array_append_new(suspects, suspect_json(r, &r->suspects.suspect[i]));
    for (size_t i = 0; i < r->threads.count; i++)
        json_array_append_new(threads, thread_json(&r->threads.thread[i], view->threads));
    all = json_pack(
        "{ss so so so* so* so* so* so so so so so so so so so so so}", "schema", "salvage.analysis/1", "name",
        report_text(r->name), "time",
        r->heap->phd ? json_null() : report_text(clock_format(r->heap->reader.time_ms * 1000000, time)), "cut",
        r->heap->reader.cut ? report_text(r->heap->reader.cut) : NULL, "assumed_roots",
        r->heap->phd ? json_true() : NULL, "dumps", r->heap->dump_shown ? report_number(r->heap->dumps) : NULL,
        "dump_shown", r->heap->dump_shown ? report_number(r->heap->dump_shown) : NULL, "dump_bytes",
        report_number(r->dump_bytes), "objects", report_number(r->heap->objects - r->retained.unreachable_count),
        "reachable_bytes", report_number(r->retained.reachable), "unreachable_objects",
        report_number(r->retained.unreachable_count), "unreachable_bytes", report_number(r->retained.unreachable),
        "suspects", suspects, "threads", threads, "classes", classes_json(r), "packages", packages_json(r), "loaders",
        r->heap->phd ? json_array() : loaders_json(r), "tree", tree_json(r));
    if (all && r->android.count > 0)
        json_object_set_new(all, "heaps", android_heaps_json(&r->android));
    if (all && (!contents || json_object_update(all, contents) < 0)) {
        json_decref(all);
        return NULL;
    }
    return all;
}
