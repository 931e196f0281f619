/* SPDX-License-Identifier: Apache-2.0
 *
 * The comparison as JSON. NULL anywhere fails json_pack of what it is in, as any part does without memory.
 */
#include "base/text.h"
#include "inspect/analysis.h"
#include "inspect/comparison.h"
#include "inspect/report_parts.h"

static json_t *text_or_none(const char *text)
{
    return *text ? report_text(text) : NULL;
}

static json_t *heap_json(const struct comparison *c, unsigned side)
{
    const struct compared_heap *h = &c->heap[side];
    json_t *o =
        json_pack("{so so* so* so* so so}", "name", report_text(h->name), "time", text_or_none(h->time), "cut",
                  text_or_none(h->cut), "dump_bytes", h->dump_bytes ? report_number(h->dump_bytes) : NULL, "objects",
                  report_number(h->objects), c->digest ? "bytes" : "reachable_bytes", report_number(h->bytes));

    if (o && !c->digest) {
        json_object_set_new(o, "unreachable_objects", report_number(h->unreachable_objects));
        json_object_set_new(o, "unreachable_bytes", report_number(h->unreachable_bytes));
    }
    return o;
}

/* name_before, name_after */
static void set_both(json_t *o, const char *names[2], const uint64_t of[2])
{
    json_object_set_new(o, names[0], report_number(of[0]));
    json_object_set_new(o, names[1], report_number(of[1]));
}

static json_t *rows_json(const struct comparison *c, const struct comparison_rows *rows, const char *name)
{
    static const char *loaders[] = {"loaders_before", "loaders_after"}, *counts[] = {"count_before", "count_after"};
    static const char *bytes[] = {"bytes_before", "bytes_after"};
    static const char *retained[] = {"retained_bytes_before", "retained_bytes_after"};
    json_t *list = json_array();

    for (size_t i = 0; i < rows->count; i++) {
        const struct comparison_row *row = &rows->row[i];
        json_t *o = json_pack("{so}", name, report_text(row->name));

        set_both(o, rows == &c->loaders ? loaders : counts, row->count);
        set_both(o, bytes, row->bytes);
        if (!c->digest)
            set_both(o, retained, row->retained);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *known_number(bool known, uint64_t n)
{
    return known ? report_number(n) : json_null();
}

static json_t *suspect_json(const struct compared_suspect *s)
{
    const json_t *one = compared_suspect_json(s);
    const char *of_point = analysis_text(one, "point_class"), *holder = analysis_text(one, "holder");
    json_t *o = json_pack(
        "{ss so so so so so}", "change", suspect_change_name(s->change), "class",
        report_text(analysis_text(one, "class")), "holder", *holder ? report_text(holder) : json_null(), "point_class",
        *of_point ? report_text(of_point) : json_null(), "retained_bytes_before",
        known_number(s->known[0], s->retained[0]), "retained_bytes_after", known_number(s->known[1], s->retained[1]));

    if (!o)
        return NULL;
    for (unsigned side = 0; side < 2; side++) {
        json_object_set_new(o, side ? "count_after" : "count_before",
                            known_number(s->of[side] != NULL, analysis_number(s->of[side], "count")));
        if (s->of[side] && json_is_object(json_object_get(s->of[side], "content")))
            json_object_set(o, side ? "content_after" : "content_before", json_object_get(s->of[side], "content"));
    }
    if (json_is_array(json_object_get(one, "path")))
        json_object_set(o, "path", json_object_get(one, "path"));
    return o;
}

static json_t *suspects_json(const struct comparison *c)
{
    json_t *list = c->digest ? NULL : json_array();

    for (size_t i = 0; list && i < c->suspects; i++)
        json_array_append_new(list, suspect_json(&c->suspect[i]));
    return list;
}

json_t *comparison_json(const struct comparison *c)
{
    return json_pack("{ss so so so* so so so* so*}", "schema", "salvage.comparison/1", "before", heap_json(c, 0),
                     "after", heap_json(c, 1), "suspects", suspects_json(c), "classes_cut",
                     json_boolean(c->classes.cut), "classes", rows_json(c, &c->classes, "class"), "packages",
                     c->digest ? NULL : rows_json(c, &c->packages, "package"), "loaders",
                     c->digest ? NULL : rows_json(c, &c->loaders, "loader"));
}
