/* SPDX-License-Identifier: Apache-2.0
 *
 * Breadth first; then once more from the locals, to what is left.
 */
#include "inspect/root_search.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void root_search_done(struct root_search *s)
{
    free(s->from);
    free(s->queue);
    *s = (struct root_search){0};
}

static bool is_local(const struct heap_root_info *root)
{
    return root->record.kind == HEAP_ROOT_JAVA_FRAME || root->record.kind == HEAP_ROOT_JNI_LOCAL;
}

static void search(const struct heap *h, struct root_search *s, bool locals)
{
    uint32_t head = s->count;

    for (size_t i = 0; i < h->root_count; i++) {
        uint32_t root = h->roots[i].node;

        if (root == HEAP_NONE || s->from[root] != HEAP_NONE || is_local(&h->roots[i]) != locals)
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
    struct root_search s = {.from = malloc(((size_t)h->objects + 1) * sizeof(uint32_t)),
                            .queue = malloc(((size_t)h->objects + 1) * sizeof(uint32_t))};

    assert(h && ret);
    if (!s.from || !s.queue) {
        root_search_done(&s);
        return -ENOMEM;
    }
    memset(s.from, 0xFF, ((size_t)h->objects + 1) * sizeof(uint32_t));
    search(h, &s, false);
    search(h, &s, true);
    *ret = s;
    return 0;
}
