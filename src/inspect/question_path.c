/* SPDX-License-Identifier: Apache-2.0
 *
 * --path: shortest paths to an object, or to all instances of a class.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/heap_objects.h"
#include "inspect/heap_question.h"
#include "inspect/path_tree.h"
#include "inspect/report_parts.h"
#include "inspect/suspect_path.h"

/* By its whole name, else by the part after the last dot. */
static bool is_class(const struct heap *h, uint32_t type, const char *text, bool whole)
{
    const char *name = h->types[type].name, *dot = strrchr(name, '.');

    return whole ? text_eq(name, text) : dot && text_eq(dot + 1, text);
}

static int find_wanted(const struct heap *h, const char *text, uint64_t *wanted, struct err *e)
{
    uint32_t one = question_node(h, text);
    uint64_t count = 0;

    if (one != HEAP_NONE) {
        wanted[one >> 6] |= UINT64_C(1) << (one & 63);
        return 0;
    }
    for (int whole = 1; whole >= 0 && count == 0 && !text_starts(text, "0x"); whole--)
        for (uint32_t n = 0; n < h->objects; n++)
            if (is_class(h, heap_type_of(h, n), text, whole)) {
                wanted[n >> 6] |= UINT64_C(1) << (n & 63);
                count++;
            }
    return count ? 0
                 : err_set(e, -FAULT_USAGE, "--path %s: there is no object of this id or class: --json lists classes",
                           text);
}

static json_t *node_json(const struct heap_report *r, const struct path_node *m, bool first)
{
    CLEANUP_FREE char *root =
        !first && m->before == r->heap->objects ? heap_root_text(r->heap, &r->threads, m->node) : NULL;

    return json_pack("{so so so so so so*}", "parent", first ? json_null() : report_number(m->parent), "count",
                     report_number(m->count), "object", first ? json_null() : question_object(r->heap, m->node), "id",
                     first || m->count > 1 ? json_null() : report_id(r->heap, m->node), "field", report_text(m->field),
                     "root", root ? report_text(root) : NULL);
}

static int find_tree(struct heap *h, const char *text, struct path_tree *ret, struct err *e)
{
    CLEANUP_FREE uint64_t *wanted = calloc((size_t)h->objects / 64 + 1, sizeof(*wanted));
    struct root_search s = {0};
    int r;

    if (!wanted)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = find_wanted(h, text, wanted, e)) < 0)
        return r;
    if ((r = root_search_run(h, &s)) == 0)
        r = path_tree_find(h, &s, wanted, ret);
    root_search_done(&s);
    return r < 0 ? err_set(e, r, "out of memory for the paths") : 0;
}

int question_path(struct heap_report *r, const struct heap_question *q, json_t **ret, struct err *e)
{
    struct path_tree t = {0};
    json_t *nodes;
    int result = find_tree(r->heap, q->path, &t, e);

    if (result < 0)
        return result;
    nodes = json_array();
    for (size_t i = 0; i < t.count; i++)
        json_array_append_new(nodes, node_json(r, &t.node[i], i == 0));
    *ret = json_pack("{ss so so so}", "schema", "salvage.answer/1", "of", report_text(q->path), "count",
                     report_number(t.wanted), "nodes", nodes);
    path_tree_done(&t);
    return 0;
}
