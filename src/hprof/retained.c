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

/* Types whose referent does not keep an object: by name, as MAT excludes them by default. */
static uint32_t *weak_types(const struct heap *h)
{
    static const char *const WEAK[] = {"java.lang.ref.WeakReference", "java.lang.ref.SoftReference",
                                       "java.lang.ref.PhantomReference", "java.lang.ref.FinalReference"};
    uint32_t *weak = calloc(h->type_count + 1, sizeof(*weak));

    for (uint32_t t = 0; weak && t < h->type_count; t++)
        for (size_t i = 0; i < sizeof(WEAK) / sizeof(*WEAK); i++)
            weak[t] |= heap_is_a(h, t, WEAK[i]);
    return weak;
}

struct search {
    uint32_t *from, *queue, *weak;
};

static void search_done(struct search *s)
{
    free(s->from);
    free(s->queue);
    free(s->weak);
}

/* Breadth first from the roots; from[n] is the node before n. All of a weak reference's edges are left out: its queue
 * and its list of other references lead nowhere that is asked for. */
static void search(const struct heap *h, uint32_t node, const struct search *s)
{
    uint32_t head = 0, tail = 0;

    memset(s->from, 0xFF, ((size_t)h->objects + 1) * sizeof(*s->from));
    s->queue[tail++] = h->objects;
    s->from[h->objects] = h->objects;
    while (head < tail && s->from[node] == HEAP_NONE) {
        uint32_t n = s->queue[head++];

        if (n != h->objects && h->type[n] != HEAP_NONE && s->weak[h->type[n]])
            continue;
        for (uint32_t e = h->first[n]; e < h->first[n + 1]; e++)
            if (s->from[h->to[e]] == HEAP_NONE) {
                s->from[h->to[e]] = n;
                s->queue[tail++] = h->to[e];
            }
    }
}

int retained_path(const struct heap *h, uint32_t node, uint32_t *out, unsigned most)
{
    struct search s = {.from = malloc(((size_t)h->objects + 1) * sizeof(uint32_t)),
                       .queue = malloc(((size_t)h->objects + 1) * sizeof(uint32_t)),
                       .weak = weak_types(h)};
    unsigned length = 0;

    assert(node < h->objects && out && most > 0);
    if (!s.from || !s.queue || !s.weak) {
        search_done(&s);
        return -ENOMEM;
    }
    search(h, node, &s);
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
