/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of nodes that name their parents becomes lists of children.
 */
#include "inspect/analysis_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "inspect/analysis.h"

void analysis_tree_done(struct analysis_tree *t)
{
    free(t->first);
    free(t->child);
    free(t->retained);
    *t = (struct analysis_tree){0};
}

const json_t *analysis_tree_node(const struct analysis_tree *t, uint32_t node)
{
    assert(node < t->count);
    return json_array_get(t->list, node);
}

static int larger_first(const void *a, const void *b, void *retained)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const uint64_t *weight = retained;

    if (weight[x] != weight[y])
        return weight[x] > weight[y] ? -1 : 1;
    return x < y ? -1 : 1;
}

/* The parent of a node but the first; UINT32_MAX: none that may be. */
static uint32_t parent_of(const json_t *list, uint32_t node)
{
    const json_t *parent = json_object_get(json_array_get(list, node), "parent");
    json_int_t n = json_integer_value(parent);

    return json_is_integer(parent) && n >= 0 && n < node ? (uint32_t)n : UINT32_MAX;
}

int analysis_tree_read(const json_t *a, struct analysis_tree *ret)
{
    CLEANUP(analysis_tree_done) struct analysis_tree t = {.list = json_object_get(a, "tree")};
    size_t size = json_array_size(t.list);

    assert(ret);
    *ret = (struct analysis_tree){0};
    if (size == 0)
        return 0;
    t.count = size > ANALYSIS_TREE_NODES ? ANALYSIS_TREE_NODES : (uint32_t)size;
    t.first = calloc(t.count + 2, sizeof(*t.first));
    t.child = calloc(t.count, sizeof(*t.child));
    t.retained = calloc(t.count, sizeof(*t.retained));
    if (!t.first || !t.child || !t.retained)
        return -ENOMEM;
    for (uint32_t n = 0; n < t.count; n++) {
        t.retained[n] = analysis_number(json_array_get(t.list, n), "retained_bytes");
        if (n == 0)
            continue;
        if (parent_of(t.list, n) == UINT32_MAX)
            return 0;
        t.first[parent_of(t.list, n) + 2]++;
    }
    /* first[n + 1] is where the next child of n goes; when all have been placed, where those of n + 1 begin. */
    for (uint32_t n = 2; n < t.count + 2; n++)
        t.first[n] += t.first[n - 1];
    for (uint32_t n = 1; n < t.count; n++)
        t.child[t.first[parent_of(t.list, n) + 1]++] = n;
    for (uint32_t n = 0; n < t.count; n++)
        qsort_r(t.child + t.first[n], t.first[n + 1] - t.first[n], sizeof(*t.child), larger_first, t.retained);
    *ret = t;
    t = (struct analysis_tree){0};
    return 0;
}
