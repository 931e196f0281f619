/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths from GC roots: without weak references, from locals last, merged by class.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap_dump_make.h"
#include "inspect/path_tree.h"

enum { LINK = 0x100000, ITEM = 0x100100, WEAK = 0x100200, REFERENCE = 0x100300, OBJECTS = 0x200000, LINKS = 50 };

static struct dump dump;
static struct heap *h;
static struct root_search search;

static uint32_t node(uint64_t id)
{
    uint32_t n = heap_index_find(h->index, id);

    assert_true(n != HEAP_NONE);
    return n;
}

static void classes(void)
{
    const struct dump_field link[] = {{"next", HEAP_OBJECT, 0}, {"item", HEAP_OBJECT, 0}},
                            referent[] = {{"referent", HEAP_OBJECT, 0}}, number[] = {{"number", HEAP_LONG, 0}};

    dump_begin(&dump);
    dump_class(&dump, &(struct dump_class){.id = LINK, .name = "Link", .fields = link, .field_count = 2});
    dump_class(&dump, &(struct dump_class){.id = ITEM, .name = "Item", .fields = number, .field_count = 1});
    dump_class(&dump, &(struct dump_class){
                          .id = REFERENCE, .name = "java/lang/ref/Reference", .fields = referent, .field_count = 1});
    dump_class(&dump, &(struct dump_class){.id = WEAK, .super = REFERENCE, .name = "java/lang/ref/WeakReference"});
}

static void add_link(uint64_t id, uint64_t next, uint64_t item)
{
    dump_instance(&dump, id, LINK, 16);
    dump_u(&dump, next, 8);
    dump_u(&dump, item, 8);
}

static void add_item(uint64_t id)
{
    dump_instance(&dump, id, ITEM, 8);
    dump_u(&dump, 0, 8);
}

static void load(void)
{
    struct err e;

    dump_end(&dump);
    assert_int_equal(heap_load(dump.data, dump.size, &h, &e), 0);
    assert_int_equal(root_search_run(h, &search), 0);
}

static void done(void)
{
    root_search_done(&search);
    heap_free(h);
}

static void a_list_is_one_step(void **state)
{
    uint64_t wanted[16] = {0};
    struct path_tree t = {0};

    (void)state;
    classes();
    for (uint64_t i = 0; i < LINKS; i++) {
        add_link(OBJECTS + 64 * i, i + 1 < LINKS ? OBJECTS + 64 * (i + 1) : 0, OBJECTS + 64 * i + 32);
        add_item(OBJECTS + 64 * i + 32);
    }
    dump_root(&dump, OBJECTS);
    add_item(OBJECTS + 0x10000); /* garbage */
    load();
    for (uint64_t i = 0; i < LINKS; i++)
        wanted[node(OBJECTS + 64 * i + 32) >> 6] |= UINT64_C(1) << (node(OBJECTS + 64 * i + 32) & 63);
    wanted[node(OBJECTS + 0x10000) >> 6] |= UINT64_C(1) << (node(OBJECTS + 0x10000) & 63);
    assert_int_equal(path_tree_find(h, &search, wanted, &t), 0);
    assert_int_equal(t.wanted, LINKS + 1);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.node[0].count, LINKS);
    assert_string_equal(h->types[t.node[1].type].name, "Link");
    assert_null(t.node[1].field);
    assert_int_equal(t.node[1].count, LINKS);
    assert_string_equal(h->types[t.node[2].type].name, "Item");
    assert_string_equal(t.node[2].field, "item");
    assert_int_equal(t.node[2].parent, 1);
    path_tree_done(&t);
    done();
}

static void weak_references_lead_nowhere(void **state)
{
    (void)state;
    classes();
    add_item(OBJECTS);
    dump_instance(&dump, OBJECTS + 64, WEAK, 8);
    dump_u(&dump, OBJECTS, 8);
    dump_root(&dump, OBJECTS + 64);
    load();
    assert_int_equal(search.from[node(OBJECTS + 64)], h->objects);
    assert_int_equal(search.from[node(OBJECTS)], HEAP_NONE);
    done();
}

/* A longer path from elsewhere is preferred to a local's; what has no other hangs on the local. */
static void locals_come_last(void **state)
{
    (void)state;
    classes();
    add_item(OBJECTS);
    add_link(OBJECTS + 64, OBJECTS + 128, 0);
    add_link(OBJECTS + 128, 0, OBJECTS);
    add_link(OBJECTS + 192, 0, OBJECTS + 256);
    add_item(OBJECTS + 256);
    dump_local(&dump, OBJECTS, 1, 0);
    dump_local(&dump, OBJECTS + 192, 1, 0);
    dump_root(&dump, OBJECTS + 64);
    load();
    assert_int_equal(search.from[node(OBJECTS)], node(OBJECTS + 128));
    assert_int_equal(search.from[node(OBJECTS + 128)], node(OBJECTS + 64));
    assert_int_equal(search.from[node(OBJECTS + 192)], h->objects);
    assert_int_equal(search.from[node(OBJECTS + 256)], node(OBJECTS + 192));
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_one_step),
        cmocka_unit_test(weak_references_lead_nowhere),
        cmocka_unit_test(locals_come_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
