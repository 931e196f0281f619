/* SPDX-License-Identifier: Apache-2.0
 *
 * Dominators against their definition: x dominates y if y can't be reached once x is removed. On random graphs of many
 * shapes, and on a known one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hprof/dominators.h"

enum { NODES_MAX = 40, EDGES_MAX = 200, GRAPHS = 3000 };

static struct {
    struct graph graph;
    uint32_t first[NODES_MAX + 1], to[EDGES_MAX];
} g;

/* Which nodes can be reached from root without `without`. */
static void reach(uint32_t root, uint32_t without, bool seen[NODES_MAX])
{
    uint32_t stack[NODES_MAX], depth = 0;

    memset(seen, 0, NODES_MAX * sizeof(bool));
    if (root == without)
        return;
    seen[root] = true;
    stack[depth++] = root;
    while (depth > 0) {
        uint32_t node = stack[--depth];

        for (uint32_t e = g.first[node]; e < g.first[node + 1]; e++)
            if (g.to[e] != without && !seen[g.to[e]]) {
                seen[g.to[e]] = true;
                stack[depth++] = g.to[e];
            }
    }
}

static void make(uint32_t nodes, uint32_t edges)
{
    unsigned degree[NODES_MAX] = {0};
    uint32_t total = 0;

    for (uint32_t i = 0; i < edges; i++)
        degree[(uint32_t)rand() % nodes]++;
    for (uint32_t n = 0; n < nodes; n++) {
        g.first[n] = total;
        for (; degree[n] > 0; degree[n]--)
            g.to[total++] = (uint32_t)rand() % nodes;
    }
    g.first[nodes] = total;
    g.graph = (struct graph){nodes, g.first, g.to};
}

static bool dominates(const struct dominators *d, uint32_t x, uint32_t y)
{
    uint32_t at = d->at[y];

    while (at != d->at[x] && at != 0)
        at = d->over[at];
    return at == d->at[x];
}

static void check(uint32_t root)
{
    struct dominators d;
    bool all[NODES_MAX], rest[NODES_MAX];

    assert_int_equal(dominators_find(&g.graph, root, &d), 0);
    reach(root, NODES_MAX, all);
    for (uint32_t y = 0; y < g.graph.nodes; y++)
        assert_int_equal(d.at[y] != DOMINATORS_NONE, all[y]);
    for (uint32_t x = 0; x < g.graph.nodes; x++) {
        if (!all[x])
            continue;
        assert_true(x == root || d.over[d.at[x]] < d.at[x]);
        reach(root, x, rest);
        for (uint32_t y = 0; y < g.graph.nodes; y++)
            if (all[y])
                assert_int_equal(dominates(&d, x, y), !rest[y]);
    }
    dominators_done(&d);
}

static void random_graphs_have_the_dominators_of_the_definition(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < GRAPHS; i++) {
        uint32_t nodes = 1 + (uint32_t)rand() % NODES_MAX, most = nodes * 4 < EDGES_MAX ? nodes * 4 : EDGES_MAX;

        make(nodes, (uint32_t)rand() % (most + 1));
        check((uint32_t)rand() % nodes);
    }
}

/* r -> a -> b -> c, r -> c, c -> d, b -> d: only the root is over c and d. */
static void a_node_with_two_ways_is_dominated_by_where_they_part(void **state)
{
    static const uint32_t FIRST[] = {0, 1, 3, 4, 4, 6}, TO[] = {1, 2, 3, 3, 0, 2};
    const struct graph graph = {5, FIRST, TO}; /* a, b, c, d, r */
    struct dominators d;

    (void)state;
    assert_int_equal(dominators_find(&graph, 4, &d), 0);
    assert_int_equal(d.count, 5);
    assert_int_equal(d.node[d.over[d.at[0]]], 4);
    assert_int_equal(d.node[d.over[d.at[1]]], 0);
    assert_int_equal(d.node[d.over[d.at[2]]], 4);
    assert_int_equal(d.node[d.over[d.at[3]]], 4);
    dominators_done(&d);
}

/* A linked list: recursion would end the stack. */
static void a_chain_of_a_million_is_no_problem(void **state)
{
    enum { LONG = 1000 * 1000 };
    uint32_t *first = malloc((LONG + 1) * sizeof(*first)), *to = malloc(LONG * sizeof(*to));
    struct dominators d;

    (void)state;
    assert_non_null(first);
    assert_non_null(to);
    for (uint32_t n = 0; n < LONG; n++) { /* n -> n - 1; the last one is the root */
        first[n] = n == 0 ? 0 : n - 1;
        if (n > 0)
            to[n - 1] = n - 1;
    }
    first[LONG] = LONG - 1;
    assert_int_equal(dominators_find(&(struct graph){LONG, first, to}, LONG - 1, &d), 0);
    assert_int_equal(d.count, LONG);
    for (uint32_t p = 1; p < LONG; p++)
        assert_int_equal(d.over[p], p - 1);
    dominators_done(&d);
    free(first);
    free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs_have_the_dominators_of_the_definition),
        cmocka_unit_test(a_node_with_two_ways_is_dominated_by_where_they_part),
        cmocka_unit_test(a_chain_of_a_million_is_no_problem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
