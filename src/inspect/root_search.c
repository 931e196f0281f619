/* SPDX-License-Identifier: Apache-2.0
 *
 * Breadth first; then once more from the locals, to what is left.
 */
#include "inspect/root_search.h"

#include <assert.h>
#include <string.h>

void root_search_done(struct root_search *s)
{
    big_array_free(&s->from_array);
    big_array_free(&s->queue_array);
    *s = (struct root_search){0};
}

static void search(const struct heap *h, struct root_search *s, bool locals)
{
    uint32_t head = s->count;

    for (size_t i = 0; i < h->root_count; i++) {
        uint32_t root = h->roots[i].node;

        if (root == HEAP_NONE || s->from[root] != HEAP_NONE || root_is_local(&h->roots[i]) != locals)
            continue;
        s->from[root] = h->objects;
        s->queue[s->count++] = root;
    }
    while (head < s->count) {
        uint32_t n = s->queue[head++];
        struct heap_edges edges = heap_edges_of(h, n);

        while (heap_edges_next(&edges))
            if (!edges.weak && s->from[edges.target] == HEAP_NONE) {
                s->from[edges.target] = n;
                s->queue[s->count++] = edges.target;
            }
    }
}

int root_search_run(const struct heap *h, struct root_search *ret)
{
    size_t bytes = ((size_t)h->objects + 1) * sizeof(uint32_t);
    struct root_search s = {0};
    int r;

    assert(h && ret);
    if ((r = big_array_new(&s.from_array, heap_memory(h), bytes)) < 0 ||
        (r = big_array_new(&s.queue_array, heap_memory(h), bytes)) < 0) {
        root_search_done(&s);
        return r;
    }
    s.from = s.from_array.data;
    s.queue = s.queue_array.data;
    memset(s.from, 0xFF, bytes);
    search(h, &s, false);
    search(h, &s, true);
    *ret = s;
    return 0;
}
