/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. From dominators to the order of a walk through their tree, in few bytes: a subtree is a range of
 * positions, what it holds is the difference of two sums, and who is over a position is found nearby.
 */
#include "hprof/retained.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fault.h"
#include "hprof/dominators_check.h"

enum { LEVELS = 3, UNIT = 8 };

struct build {
    const struct heap *h;
    struct dominators d;
    struct retained r;
    struct big_array at, next; /* by node: its position; where the next child goes, at last its end */
};

static void build_done(struct build *b)
{
    dominators_done(&b->d);
    retained_done(&b->r);
    big_array_free(&b->at);
    big_array_free(&b->next);
}

void retained_done(struct retained *r)
{
    big_array_free(&r->reached);
    big_array_free(&r->node);
    big_array_free(&r->end);
    for (unsigned i = 0; i < RETAINED_LEVELS; i++)
        big_array_free(&r->most[i]);
    big_array_free(&r->sum);
    big_array_free(&r->sum_block);
    *r = (struct retained){0};
}

/* Each reachable pendant of a level, in the order of nodes. */
static void each_pendant(struct build *b, unsigned level, void (*fn)(struct build *b, uint32_t node))
{
    const uint64_t *bits = b->d.pendant[level].data;
    const uint32_t *over = b->d.over.data;

    for (size_t word = 0; word < (size_t)b->h->objects / 64 + 1; word++)
        for (uint64_t left = bits[word]; left; left &= left - 1) {
            uint32_t node = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);

            if (over[node] != DOMINATORS_NONE)
                fn(b, node);
        }
}

static void add_size(struct build *b, uint32_t node)
{
    uint32_t *size = b->at.data;

    size[((const uint32_t *)b->d.over.data)[node]] += size[node];
}

static void place(struct build *b, uint32_t node)
{
    uint32_t *at = b->at.data, *next = b->next.data, over = ((const uint32_t *)b->d.over.data)[node], size = at[node];

    at[node] = next[over];
    next[over] += size;
    next[node] = at[node] + 1;
}

/* at is the size of what each node dominates first, then its position. */
static int number(struct build *b)
{
    uint32_t root = b->h->objects, *at, *next;
    const uint32_t *over = b->d.over.data, *order = b->d.order.data;
    struct big_memory *memory = b->d.over.memory;
    size_t bytes = ((size_t)root + 1) * sizeof(*at);
    int r;

    if ((r = big_array_new(&b->at, memory, bytes)) < 0 || (r = big_array_new(&b->next, memory, bytes)) < 0)
        return r;
    at = b->at.data;
    next = b->next.data;
    for (uint64_t n = 0; n <= root; n++)
        at[n] = over[n] != DOMINATORS_NONE;
    for (unsigned level = 0; level < LEVELS; level++)
        each_pendant(b, level, add_size);
    for (uint32_t i = b->d.order_count; i-- > 1;)
        add_size(b, order[i]);
    b->r.count = at[root];
    at[root] = 0;
    next[root] = 1;
    for (uint32_t i = 1; i < b->d.order_count; i++)
        place(b, order[i]);
    for (unsigned level = LEVELS; level-- > 0;)
        each_pendant(b, level, place);
    for (uint32_t n = 0; n < root; n++)
        if (over[n] == DOMINATORS_NONE)
            at[n] = DOMINATORS_NONE;
    next[root] = b->r.count;
    return 0;
}

/* From nodes to positions; each array goes as soon as the next is there. */
static int turn(struct build *b)
{
    uint32_t root = b->h->objects, *node, *end;
    const uint32_t *at = b->at.data, *next = b->next.data;
    struct big_memory *memory = b->d.over.memory;
    size_t bytes = (size_t)b->r.count * sizeof(*node);
    int r;

    dominators_done(&b->d);
    if ((r = big_array_new(&b->r.end, memory, bytes)) < 0)
        return r;
    end = b->r.end.data;
    for (uint64_t n = 0; n <= root; n++)
        if (at[n] != DOMINATORS_NONE)
            end[at[n]] = next[n];
    big_array_free(&b->next);
    if ((r = big_array_new(&b->r.node, memory, bytes)) < 0 ||
        (r = big_array_new(&b->r.reached, memory, heap_bits_size(b->h))) < 0)
        return r;
    node = b->r.node.data;
    node[0] = root;
    for (uint32_t n = 0; n < root; n++)
        if (at[n] != DOMINATORS_NONE) {
            node[at[n]] = n;
            graph_set_bit(&b->r.reached, n);
        }
    big_array_free(&b->at);
    return 0;
}

static uint64_t shallow(const struct build *b, uint32_t position)
{
    return position == 0 ? 0 : heap_size(b->h, retained_node(&b->r, position));
}

/* Sums in units of 8 bytes, as nearly all sizes are multiples of it; in units of 1; false: they don't fit. */
static bool add_sums(struct build *b, uint32_t unit)
{
    uint32_t *sum = b->r.sum.data;
    uint64_t *block = b->r.sum_block.data, total = 0, base = 0;

    b->r.sum_unit = unit;
    for (uint32_t p = 0; p <= b->r.count; p++) {
        if (p % RETAINED_SUM_BLOCK == 0)
            block[p / RETAINED_SUM_BLOCK] = base = total;
        if ((total - base) / unit > UINT32_MAX || (total - base) % unit != 0)
            return false;
        sum[p] = (uint32_t)((total - base) / unit);
        if (p < b->r.count)
            total += shallow(b, p);
    }
    return true;
}

static int sum_all(struct build *b)
{
    size_t count = (size_t)b->r.count + 1;
    struct big_memory *memory = b->r.node.memory;
    uint64_t *sum, total = 0;
    int r;

    if ((r = big_array_new(&b->r.sum, memory, count * sizeof(uint32_t))) < 0 ||
        (r = big_array_new(&b->r.sum_block, memory, (count / RETAINED_SUM_BLOCK + 1) * sizeof(uint64_t))) < 0)
        return r;
    if (add_sums(b, UNIT) || add_sums(b, 1))
        return 0;
    big_array_free(&b->r.sum);
    if ((r = big_array_new(&b->r.sum, memory, count * sizeof(uint64_t))) < 0)
        return r;
    b->r.sum_unit = 0;
    sum = b->r.sum.data;
    for (uint32_t p = 0; p <= b->r.count; p++) {
        sum[p] = total;
        total += p < b->r.count ? shallow(b, p) : 0;
    }
    return 0;
}

/* The largest ends of 64 positions, of 64 of these groups, and so on: to find who is over a position. */
static int find_most(struct build *b)
{
    const uint32_t *below = b->r.end.data;
    size_t count = b->r.count;
    int r;

    for (unsigned level = 0; level < RETAINED_LEVELS; level++) {
        size_t groups = (count >> RETAINED_LEVEL_BITS) + 1;
        uint32_t *most;

        if ((r = big_array_new(&b->r.most[level], b->r.end.memory, groups * sizeof(*most))) < 0)
            return r;
        most = b->r.most[level].data;
        for (size_t i = 0; i < count; i++)
            if (below[i] > most[i >> RETAINED_LEVEL_BITS])
                most[i >> RETAINED_LEVEL_BITS] = below[i];
        below = most;
        count = groups;
    }
    return 0;
}

uint32_t retained_at(const struct retained *r, uint32_t node)
{
    uint32_t p = 0;

    while (p < r->count && retained_node(r, p) != node)
        p++;
    return p < r->count ? p : DOMINATORS_NONE;
}

/* The last position before p whose end is behind p: in p's group, or in the last group that has one, and so on. */
uint32_t retained_over(const struct retained *r, uint32_t p)
{
    const uint32_t *ends = r->end.data;
    uint32_t q = p;
    unsigned level = 0;

    if (p == 0)
        return 0;
    for (;;) {
        uint32_t first = q >> RETAINED_LEVEL_BITS << RETAINED_LEVEL_BITS;

        while (q > first && ends[q - 1] <= p)
            q--;
        if (q > first)
            break;
        q >>= RETAINED_LEVEL_BITS;
        ends = r->most[level++].data;
    }
    for (q--; level > 0; level--) { /* down again */
        ends = level > 1 ? r->most[level - 2].data : r->end.data;
        q = (q << RETAINED_LEVEL_BITS) + (1U << RETAINED_LEVEL_BITS) - 1;
        while (ends[q] <= p)
            q--;
    }
    return q;
}

int retained_walk_next(struct retained_walk *w)
{
    uint32_t p = ++w->position;
    int r;

    while (w->depth > 0 && (p >= w->r->count || retained_end(w->r, w->open[w->depth - 1]) <= p)) {
        w->depth--;
        if (w->leave)
            w->leave(w->ctx, w->open[w->depth]);
    }
    if (p >= w->r->count)
        return 0;
    if ((r = array_reserve(&w->open, w->depth + 1, &w->capacity, sizeof(*w->open), SIZE_MAX / sizeof(*w->open))) < 0)
        return -ENOMEM;
    w->open[w->depth++] = p;
    return 1;
}

void retained_walk_done(struct retained_walk *w)
{
    free(w->open);
    *w = (struct retained_walk){0};
}

static void count_garbage(const struct heap *h, struct retained *r)
{
    uint64_t all = 0;

    for (size_t t = 0; t < h->type_count; t++)
        all += h->types[t].bytes;
    r->reachable = retained_bytes(r, 0);
    r->unreachable = all - r->reachable;
    r->unreachable_count = h->objects - (r->count - 1);
}

int retained_find(const struct heap *h, struct retained *ret, struct err *e)
{
    struct build b = {.h = h};
    int r;

    assert(h && ret);
    if ((r = dominators_find(&h->graph, &b.d)) < 0 || (h->verify && (r = dominators_check(&h->graph, &b.d)) < 0) ||
        (r = number(&b)) < 0 || (r = turn(&b)) < 0 || (r = find_most(&b)) < 0 || (r = sum_all(&b)) < 0) {
        build_done(&b);
        if (r == -EILSEQ)
            return err_set(e, -FAULT_CORRUPT, "two algorithms disagree about the dominators: a defect of salvage");
        return r == -ENOMEM ? err_set(e, r, "out of memory for the dominators")
                            : err_set(e, r, "no room in the temporary file for the dominators: %s", strerror(-r));
    }
    count_garbage(h, &b.r);
    *ret = b.r;
    return 0;
}
