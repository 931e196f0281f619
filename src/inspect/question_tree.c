/* SPDX-License-Identifier: Apache-2.0
 *
 * --tree: what an object dominates.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/heap_question.h"
#include "inspect/report_parts.h"

static int most_first(const void *a, const void *b, void *ctx)
{
    const struct retained *r = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (retained_bytes(r, x) != retained_bytes(r, y))
        return retained_bytes(r, x) > retained_bytes(r, y) ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The children's positions, those that keep most first; malloc'ed. */
static uint32_t *children_of(struct retained *r, uint32_t position, size_t *ret_count)
{
    uint32_t *child;
    size_t count = 0;

    for (uint32_t p = position + 1; p < retained_end(r, position); p = retained_end(r, p))
        count++;
    if (!(child = malloc((count + 1) * sizeof(*child))))
        return NULL;
    count = 0;
    for (uint32_t p = position + 1; p < retained_end(r, position); p = retained_end(r, p))
        child[count++] = p;
    if (count > 1)
        qsort_r(child, count, sizeof(*child), most_first, r);
    *ret_count = count;
    return child;
}

static int find_position(const struct heap_report *r, const char *text, uint32_t *ret, struct err *e)
{
    uint32_t node = question_node(r->heap, text);

    *ret = 0;
    if (text_eq(text, "roots"))
        return 0;
    if (node == HEAP_NONE)
        return err_set(e, -FAULT_USAGE, "--tree %s: there is no object of this id (or `roots`)", text);
    *ret = retained_at(&r->retained, node);
    return *ret == DOMINATORS_NONE ? err_set(e, -FAULT_USAGE, "--tree %s: the object is not reachable", text) : 0;
}

static json_t *row_json(const struct heap_report *r, uint32_t position)
{
    uint32_t node = retained_node(&r->retained, position);

    return json_pack("{so so so so}", "object", question_object(r->heap, node), "id", report_id(r->heap, node), "bytes",
                     report_number(heap_size(r->heap, node)), "retained_bytes",
                     report_number(retained_bytes(&r->retained, position)));
}

int question_tree(struct heap_report *r, const struct heap_question *q, json_t **ret, struct err *e)
{
    CLEANUP_FREE uint32_t *child = NULL;
    json_t *rows, *answer;
    uint64_t rest = 0;
    uint32_t position;
    size_t count = 0;
    int result = find_position(r, q->tree, &position, e);

    if (result < 0)
        return result;
    if (!(child = children_of(&r->retained, position, &count)))
        return err_set(e, -ENOMEM, "out of memory for the tree");
    rows = json_array();
    for (size_t i = 0; i < count; i++)
        if (i < q->top)
            json_array_append_new(rows, row_json(r, child[i]));
        else
            rest += retained_bytes(&r->retained, child[i]);
    answer = position ? row_json(r, position)
                      : json_pack("{ss so so so}", "object", "all GC roots", "id", json_null(), "bytes",
                                  report_number(0), "retained_bytes", report_number(r->retained.reachable));
    *ret =
        json_pack("{ss so so so so}", "schema", "salvage.answer/1", "heap_bytes", report_number(r->retained.reachable),
                  "count", report_number(count), "rest_bytes", report_number(rest), "children", rows);
    if (*ret && answer)
        json_object_update(*ret, answer);
    json_decref(answer);
    return 0;
}
