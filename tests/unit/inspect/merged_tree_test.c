/* SPDX-License-Identifier: Apache-2.0
 *
 * The merged tree: many small objects are one node, large ones have their own, a list is one node.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "heap_dump_make.h"
#include "inspect/merged_tree.h"

enum { HOLDER = 0x100000, ITEM = 0x100100, LINK = 0x100200, BYTES = 0x100300, OBJECTS = 0x200000, SMALL = 3000 };

static struct dump dump;

static void analyse(struct heap **h, struct retained *r, struct merged_tree *t)
{
    struct err e;

    assert_int_equal(heap_load(dump.data, dump.size, h, &e), 0);
    assert_int_equal(retained_find(*h, r, &e), 0);
    assert_int_equal(merged_tree_find(*h, r, t), 0);
}

static void done(struct heap *h, struct retained *r, struct merged_tree *t)
{
    merged_tree_done(t);
    retained_done(r);
    heap_free(h);
}

static const struct merged_node *node_of(const struct heap *h, const struct merged_tree *t, const char *class)
{
    for (size_t i = 1; i < t->count; i++)
        if (strcmp(h->types[t->node[i].type].name, class) == 0)
            return &t->node[i];
    return NULL;
}

static void check_order(const struct merged_tree *t)
{
    for (size_t i = 1; i < t->count; i++) {
        const struct merged_node *m = &t->node[i];

        assert_true(m->parent < i && m->retained <= t->node[i - 1].retained);
        assert_true(m->bytes <= m->retained && m->retained <= t->node[m->parent].retained);
    }
}

/* A list of links, each with an item. */
static void a_long_list_is_one_node(void **state)
{
    const struct dump_field link[] = {{"next", HEAP_OBJECT, 0}, {"item", HEAP_OBJECT, 0}},
                            item[] = {{"number", HEAP_LONG, 0}};
    struct merged_tree t = {0};
    struct retained r;
    struct heap *h;
    const struct merged_node *m;

    (void)state;
    dump_begin(&dump);
    dump_class(&dump, &(struct dump_class){.id = LINK, .name = "Link", .fields = link, .field_count = 2});
    dump_class(&dump, &(struct dump_class){.id = ITEM, .name = "Item", .fields = item, .field_count = 1});
    for (unsigned i = 0; i < SMALL; i++) {
        dump_instance(&dump, OBJECTS + 64 * i, LINK, 16);
        dump_u(&dump, i + 1 < SMALL ? OBJECTS + 64 * (i + 1) : 0, 8);
        dump_u(&dump, OBJECTS + 64 * i + 32, 8);
        dump_instance(&dump, OBJECTS + 64 * i + 32, ITEM, 8);
        dump_u(&dump, i, 8);
    }
    dump_root(&dump, OBJECTS);
    dump_root(&dump, LINK);
    dump_root(&dump, ITEM);
    dump_end(&dump);
    analyse(&h, &r, &t);
    check_order(&t);
    m = node_of(h, &t, "Link");
    assert_int_equal(m->count, SMALL);
    assert_int_equal(m->parent, 0);
    assert_int_equal(m->retained, r.reachable - heap_size(h, heap_index_find(h->index, LINK)) -
                                      heap_size(h, heap_index_find(h->index, ITEM)));
    m = node_of(h, &t, "Item");
    assert_int_equal(m->count, SMALL);
    assert_string_equal(h->types[t.node[m->parent].type].name, "Link");
    done(h, &r, &t);
}

/* An array of references to a large array and to many small ones. */
static void small_objects_are_merged_and_large_ones_are_not(void **state)
{
    static const unsigned char zeros[8192];
    struct merged_tree t = {0};
    struct retained r;
    struct heap *h;
    unsigned large = 0, merged = 0;

    (void)state;
    dump_begin(&dump);
    dump_class(&dump, &(struct dump_class){.id = HOLDER, .name = "[Ljava/lang/Object;"});
    dump_root(&dump, HOLDER);
    dump_root(&dump, OBJECTS);
    dump_array(&dump, OBJECTS, HOLDER, SMALL + 1);
    for (unsigned i = 0; i <= SMALL; i++)
        dump_u(&dump, OBJECTS + 0x10000 + 64 * i, 8);
    for (unsigned i = 0; i < SMALL; i++)
        dump_primitives(&dump, OBJECTS + 0x10000 + 64 * i, HEAP_BYTE, zeros, 10);
    dump_primitives(&dump, OBJECTS + 0x10000 + 64 * SMALL, HEAP_BYTE, zeros, sizeof(zeros));
    dump_end(&dump);
    analyse(&h, &r, &t);
    check_order(&t);
    for (size_t i = 1; i < t.count; i++)
        if (strcmp(h->types[t.node[i].type].name, "byte[]") == 0) {
            large += t.node[i].count == 1 && t.node[i].retained > sizeof(zeros);
            merged += t.node[i].count == SMALL;
            assert_string_equal(h->types[t.node[t.node[i].parent].type].name, "java.lang.Object[]");
        }
    assert_int_equal(large, 1);
    assert_int_equal(merged, 1);
    assert_true(t.node[0].retained == r.reachable && t.node[0].count == 0);
    done(h, &r, &t);
}

/* Whatever the graph, what is shown adds up: children never have more than their parent. */
static void sums_never_exceed_the_parent(void **state)
{
    const struct dump_field two[] = {{"left", HEAP_OBJECT, 0}, {"right", HEAP_OBJECT, 0}};

    (void)state;
    srand(1);
    for (unsigned round = 0; round < 200; round++) {
        unsigned objects = 2 + (unsigned)rand() % 400;
        uint64_t sum[MERGED_TREE_NODES] = {0};
        struct merged_tree t = {0};
        struct retained r;
        struct heap *h;

        dump_begin(&dump);
        dump_class(&dump, &(struct dump_class){.id = LINK, .name = "Link", .fields = two, .field_count = 2});
        dump_class(&dump, &(struct dump_class){.id = ITEM, .name = "Item", .fields = two, .field_count = 2});
        for (unsigned i = 0; i < objects; i++) {
            dump_instance(&dump, OBJECTS + 64 * i, rand() % 2 ? LINK : ITEM, 16);
            for (unsigned f = 0; f < 2; f++)
                dump_u(&dump, OBJECTS + 64 * (i + (unsigned)rand() % (objects - i)), 8);
        }
        dump_root(&dump, OBJECTS);
        dump_end(&dump);
        analyse(&h, &r, &t);
        check_order(&t);
        for (size_t i = 1; i < t.count; i++)
            sum[t.node[i].parent] += t.node[i].retained;
        for (size_t i = 0; i < t.count; i++)
            assert_true(sum[i] + t.node[i].bytes <= t.node[i].retained);
        done(h, &r, &t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_list_is_one_node),
        cmocka_unit_test(small_objects_are_merged_and_large_ones_are_not),
        cmocka_unit_test(sums_never_exceed_the_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
