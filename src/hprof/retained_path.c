/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Breadth first, from all roots.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hprof/retained.h"

struct search {
    uint32_t *from, *queue;
};

static void search_done(struct search *s)
{
    free(s->from);
    free(s->queue);
}

static bool is_local(const struct heap_root_info *root)
{
    return root->record.kind == HEAP_ROOT_JAVA_FRAME || root->record.kind == HEAP_ROOT_JNI_LOCAL;
}

/* Breadth first from the roots; from[n] is the node before n, `objects` for a root. */
static void search(const struct heap *h, uint32_t node, bool locals, const struct search *s)
{
    uint32_t head = 0, tail = 0;

    memset(s->from, 0xFF, ((size_t)h->objects + 1) * sizeof(*s->from));
    for (size_t i = 0; i < h->root_count; i++) {
        uint32_t root = h->roots[i].node;

        if (root == HEAP_NONE || s->from[root] != HEAP_NONE || (is_local(&h->roots[i]) && !locals))
            continue;
        s->from[root] = h->objects;
        s->queue[tail++] = root;
    }
    while (head < tail && s->from[node] == HEAP_NONE) {
        uint32_t n = s->queue[head++];
        struct heap_edges edges = heap_edges_of(h, n);

        while (heap_edges_next(&edges))
            if (!edges.weak && s->from[edges.target] == HEAP_NONE) {
                s->from[edges.target] = n;
                s->queue[tail++] = edges.target;
            }
    }
}

int retained_path(const struct heap *h, uint32_t node, uint32_t *out, unsigned most)
{
    struct search s = {.from = malloc(((size_t)h->objects + 1) * sizeof(uint32_t)),
                       .queue = malloc(((size_t)h->objects + 1) * sizeof(uint32_t))};
    unsigned length = 0;

    assert(node < h->objects && out && most > 0);
    if (!s.from || !s.queue) {
        search_done(&s);
        return -ENOMEM;
    }
    search(h, node, false, &s);
    if (s.from[node] == HEAP_NONE)
        search(h, node, true, &s);
    if (s.from[node] != HEAP_NONE)
        for (uint32_t n = node; n != h->objects && length < most; n = s.from[n])
            out[length++] = n;
    for (unsigned i = 0; i < length / 2; i++) {
        uint32_t other = out[i];

        out[i] = out[length - 1 - i];
        out[length - 1 - i] = other;
    }
    search_done(&s);
    return (int)length;
}
