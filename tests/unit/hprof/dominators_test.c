/* SPDX-License-Identifier: Apache-2.0
 *
 * Dominators against their definition: x dominates y if y can't be reached once x is removed. On random graphs of many
 * shapes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hprof/dominators.h"
#include "hprof/dominators_check.h"

enum { NODES_MAX = 40, EDGES_MAX = 200, GRAPHS = 4000, TYPES = 3 };

/* The last node is the root. */
static struct {
    uint32_t nodes;
    uint32_t first[NODES_MAX + 1], to[EDGES_MAX];
    uint32_t type[NODES_MAX];
    struct graph_type types[TYPES];
} g;

static struct big_memory memory = {.fd = -1};

static void visit(uint32_t node, uint32_t without, bool seen[NODES_MAX], uint32_t *stack, uint32_t *depth)
{
    if (node != without && !seen[node]) {
        seen[node] = true;
        stack[(*depth)++] = node;
    }
}

/* Which nodes can be reached from the root without `without`. */
static void reach(uint32_t without, bool seen[NODES_MAX])
{
    uint32_t stack[NODES_MAX], depth = 0;

    memset(seen, 0, NODES_MAX * sizeof(bool));
    visit(g.nodes - 1, without, seen, stack, &depth);
    while (depth > 0) {
        uint32_t node = stack[--depth];

        for (uint32_t e = g.first[node]; e < g.first[node + 1]; e++)
            visit(g.to[e], without, seen, stack, &depth);
        if (node != g.nodes - 1 && g.types[g.type[node]].also != GRAPH_NONE)
            visit(g.types[g.type[node]].also, without, seen, stack, &depth);
    }
}

static void make(uint32_t nodes, uint32_t edges)
{
    unsigned degree[NODES_MAX] = {0};
    uint32_t total = 0;

    g.nodes = nodes;
    for (uint32_t i = 0; i < edges; i++)
        degree[(uint32_t)rand() % nodes]++;
    for (uint32_t n = 0; n < nodes; n++) {
        g.first[n] = total;
        for (; degree[n] > 0; degree[n]--)
            g.to[total++] = (uint32_t)rand() % (nodes > 1 ? nodes - 1 : 1); /* never to the root */
        g.type[n] = (uint32_t)rand() % TYPES;
    }
    if (nodes == 1)
        total = 0;
    g.first[nodes] = total;
    for (uint32_t t = 0; t < TYPES; t++)
        g.types[t] = (struct graph_type){
            .also = nodes > 1 && rand() % 4 == 0 ? (uint32_t)rand() % (nodes - 1) : GRAPH_NONE, .number = t == 1};
}

/* In the form that dominators_find wants, with or without what it needs to know pendants. */
static void pack(struct graph *ret, bool know_several)
{
    struct edge_writer w = {.lists = &ret->lists};
    struct big_array once = {0};
    uint32_t nodes = g.nodes - 1;

    *ret = (struct graph){.nodes = nodes, .types = g.types, .type_count = TYPES};
    assert_int_equal(edge_lists_new(&ret->lists, &memory, nodes), 0);
    assert_int_equal(big_array_new(&ret->type, &memory, nodes * 2), 0);
    assert_int_equal(big_array_new(&ret->several, &memory, nodes), 0);
    assert_int_equal(big_array_new(&once, &memory, nodes), 0);
    for (uint32_t n = nodes; n-- > 0;) { /* in any order */
        graph_set_type(ret, n, g.type[n]);
        edge_writer_begin(&w, n);
        if (g.types[g.type[n]].number)
            assert_int_equal(edge_writer_number(&w, (uint64_t)rand()), 0);
        for (uint32_t e = g.first[n]; e < g.first[n + 1]; e++) {
            assert_int_equal(edge_writer_edge(&w, g.to[e]), 0);
            graph_set_bit(graph_bit(&once, g.to[e]) ? &ret->several : &once, g.to[e]);
        }
        assert_int_equal(edge_writer_end(&w), 0);
    }
    assert_int_equal(edge_lists_seal(&ret->lists, &w, 1), 0);
    edge_writer_done(&w);
    for (uint32_t t = 0; t < TYPES; t++)
        if (g.types[t].also != GRAPH_NONE)
            graph_set_bit(&ret->several, g.types[t].also);
    ret->roots = g.to + g.first[nodes];
    ret->root_count = g.first[nodes + 1] - g.first[nodes];
    for (size_t i = 0; i < ret->root_count; i++)
        graph_set_bit(&ret->several, ret->roots[i]);
    big_array_free(&once);
    if (!know_several)
        big_array_free(&ret->several);
}

static void unpack(struct graph *p)
{
    edge_lists_done(&p->lists);
    big_array_free(&p->type);
    big_array_free(&p->several);
}

static uint32_t over_of(const struct dominators *d, uint32_t node)
{
    return ((const uint32_t *)d->over.data)[node];
}

static bool dominates(const struct dominators *d, uint32_t x, uint32_t y)
{
    uint32_t root = g.nodes - 1;

    while (y != x && y != root)
        y = over_of(d, y);
    return y == x;
}

static void check(bool know_several)
{
    struct dominators d;
    struct graph packed;
    bool all[NODES_MAX], rest[NODES_MAX];

    pack(&packed, know_several);
    assert_int_equal(dominators_find(&packed, &d), 0);
    reach(NODES_MAX, all);
    for (uint32_t y = 0; y < g.nodes; y++)
        assert_int_equal(over_of(&d, y) != DOMINATORS_NONE, all[y]);
    for (uint32_t x = 0; x < g.nodes; x++) {
        if (!all[x])
            continue;
        reach(x, rest);
        for (uint32_t y = 0; y < g.nodes; y++)
            if (all[y])
                assert_int_equal(dominates(&d, x, y), !rest[y]);
    }
    assert_int_equal(dominators_check(&packed, &d), 0);
    dominators_done(&d);
    unpack(&packed);
}

static void random_graphs_have_the_dominators_of_the_definition(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < GRAPHS; i++) {
        uint32_t nodes = 1 + (uint32_t)rand() % NODES_MAX, most = nodes * 4 < EDGES_MAX ? nodes * 4 : EDGES_MAX;

        make(nodes, (uint32_t)rand() % (most + 1));
        check(i % 2);
    }
    assert_int_equal(memory.used, 0);
}

/* A check that finds nothing would be of no use. */
static void a_wrong_dominator_is_found(void **state)
{
    static const uint32_t TO[] = {1, 2, 3, 3, 2, 0}, FIRST[] = {0, 2, 3, 4, 4, 6}; /* 0 -> 1, 2; 1 -> 3; 2 -> 3 */
    struct dominators d;
    struct graph packed;

    (void)state;
    g.nodes = 5;
    memcpy(g.to, TO, sizeof(TO));
    memcpy(g.first, FIRST, sizeof(FIRST));
    memset(g.type, 0, sizeof(g.type));
    g.types[0] = (struct graph_type){.also = GRAPH_NONE};
    pack(&packed, true);
    assert_int_equal(dominators_find(&packed, &d), 0);
    assert_int_equal(dominators_check(&packed, &d), 0);
    assert_int_equal(over_of(&d, 3), 4);
    ((uint32_t *)d.over.data)[3] = 0;
    assert_int_equal(dominators_check(&packed, &d), -EILSEQ);
    dominators_done(&d);
    unpack(&packed);
}

/* More nodes than a bucket of edges has targets; each leads to two others anywhere, so that ways are long. */
static void a_large_random_graph_has_them_too(void **state)
{
    enum { LARGE = 200 * 1000 };
    static const uint32_t ROOTS[] = {LARGE - 1, 0};
    struct graph_type plain[] = {{.also = GRAPH_NONE}, {.also = 17}};
    struct graph large = {.nodes = LARGE, .types = plain, .type_count = 2, .roots = ROOTS, .root_count = 2};
    struct edge_writer w = {.lists = &large.lists};
    struct dominators d;

    (void)state;
    srand(2);
    assert_int_equal(edge_lists_new(&large.lists, &memory, LARGE), 0);
    assert_int_equal(big_array_new(&large.type, &memory, LARGE * 2), 0);
    for (uint32_t n = 0; n < LARGE; n++) {
        graph_set_type(&large, n, n % 7 == 0);
        edge_writer_begin(&w, n);
        for (int edges = rand() % 5; edges > 0; edges--)
            assert_int_equal(edge_writer_edge(&w, (uint32_t)rand() % LARGE), 0);
        assert_int_equal(edge_writer_end(&w), 0);
    }
    assert_int_equal(edge_lists_seal(&large.lists, &w, 1), 0);
    assert_int_equal(dominators_find(&large, &d), 0);
    assert_true(d.order_count > LARGE / 2);
    assert_int_equal(dominators_check(&large, &d), 0);
    dominators_done(&d);
    unpack(&large);
}

/* A linked list: recursion would end the stack. Each element leads back, too, so that none is a pendant. */
static void a_chain_of_a_million_is_no_problem(void **state)
{
    enum { LONG = 1000 * 1000 };
    static const uint32_t ROOTS[] = {0};
    struct graph_type plain = {.also = GRAPH_NONE};
    struct graph chain = {.nodes = LONG, .types = &plain, .type_count = 1, .roots = ROOTS, .root_count = 1};
    struct edge_writer w = {.lists = &chain.lists};
    struct dominators d;

    (void)state;
    assert_int_equal(edge_lists_new(&chain.lists, &memory, LONG), 0);
    assert_int_equal(big_array_new(&chain.type, &memory, LONG * 2), 0);
    for (uint32_t n = 0; n < LONG; n++) {
        edge_writer_begin(&w, n);
        if (n + 1 < LONG)
            assert_int_equal(edge_writer_edge(&w, n + 1), 0);
        assert_int_equal(edge_writer_edge(&w, n ? n - 1 : 0), 0);
        assert_int_equal(edge_writer_end(&w), 0);
    }
    assert_int_equal(edge_lists_seal(&chain.lists, &w, 1), 0);
    assert_int_equal(dominators_find(&chain, &d), 0);
    for (uint32_t n = 1; n < LONG; n++)
        assert_int_equal(over_of(&d, n), n - 1);
    assert_int_equal(over_of(&d, 0), LONG);
    dominators_done(&d);
    unpack(&chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs_have_the_dominators_of_the_definition),
        cmocka_unit_test(a_wrong_dominator_is_found),
        cmocka_unit_test(a_large_random_graph_has_them_too),
        cmocka_unit_test(a_chain_of_a_million_is_no_problem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
