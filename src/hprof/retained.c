/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums from the last position to the first: what dominates has a smaller one.
 */
#include "hprof/retained.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void retained_done(struct retained *r)
{
    dominators_done(&r->tree);
    free(r->bytes);
    *r = (struct retained){0};
}

int retained_find(const struct heap *h, struct retained *ret, struct err *e)
{
    struct retained r = {0};

    assert(h && ret);
    if (dominators_find(&h->graph, h->objects, &r.tree) < 0 ||
        !(r.bytes = malloc((size_t)r.tree.count * sizeof(*r.bytes)))) {
        retained_done(&r);
        return err_set(e, -ENOMEM, "out of memory for the dominators");
    }
    r.bytes[0] = 0;
    for (uint32_t p = 1; p < r.tree.count; p++)
        r.bytes[p] = heap_size(h, r.tree.node[p]);
    for (uint32_t p = r.tree.count; p-- > 1;)
        r.bytes[r.tree.over[p]] += r.bytes[p];
    r.reachable = r.bytes[0];
    for (uint32_t n = 0; n < h->objects; n++)
        if (r.tree.at[n] == DOMINATORS_NONE) {
            r.unreachable += heap_size(h, n);
            r.unreachable_count++;
        }
    *ret = r;
    return 0;
}

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

/* Breadth first from the roots; from[n] is the node before n, `objects` for a root. The first edge of a weak reference
 * is its referent's. */
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
        bool weak = h->type[n] != HEAP_NONE && h->types[h->type[n]].referent != UINT32_MAX;

        for (uint32_t e = h->first[n] + weak; e < h->first[n + 1]; e++)
            if (s->from[h->to[e]] == HEAP_NONE) {
                s->from[h->to[e]] = n;
                s->queue[tail++] = h->to[e];
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
