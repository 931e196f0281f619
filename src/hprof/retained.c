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
    free(r->end);
    *r = (struct retained){0};
}

/* From depth-first order to the order of a walk through the dominator tree: both have what dominates first. */
static int renumber(struct dominators *d, uint32_t *end)
{
    uint32_t *place = malloc((size_t)d->count * sizeof(*place)), *node = malloc((size_t)d->count * sizeof(*node));
    uint32_t *over = malloc((size_t)d->count * sizeof(*over)), *next = end;

    if (!place || !node || !over) {
        free(place);
        free(node);
        free(over);
        return -ENOMEM;
    }
    for (uint32_t p = 0; p < d->count; p++)
        place[p] = 1; /* the size of what it dominates, first */
    for (uint32_t p = d->count; p-- > 1;)
        place[d->over[p]] += place[p];
    next[0] = 1;
    for (uint32_t p = 1; p < d->count; p++) {
        uint32_t size = place[p];

        place[p] = next[d->over[p]];
        next[d->over[p]] += size;
        next[p] = place[p] + 1;
    }
    place[0] = 0;
    for (uint32_t p = 0; p < d->count; p++) {
        node[place[p]] = d->node[p];
        over[place[p]] = place[d->over[p]];
        d->at[d->node[p]] = place[p];
    }
    for (uint32_t p = 0; p < d->count; p++) /* next is now the end, by the old position */
        d->over[place[p]] = next[p];
    memcpy(end, d->over, (size_t)d->count * sizeof(*end));
    free(place);
    free(d->node);
    free(d->over);
    d->node = node;
    d->over = over;
    return 0;
}

int retained_find(const struct heap *h, struct retained *ret, struct err *e)
{
    struct retained r = {0};

    assert(h && ret);
    if (dominators_find(&h->graph, h->objects, &r.tree) < 0 ||
        !(r.bytes = malloc((size_t)r.tree.count * sizeof(*r.bytes))) ||
        !(r.end = malloc((size_t)r.tree.count * sizeof(*r.end))) || renumber(&r.tree, r.end) < 0) {
        retained_done(&r);
        return err_set(e, -ENOMEM, "out of memory for the dominators");
    }
    r.count = r.tree.count;
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
