/* SPDX-License-Identifier: Apache-2.0
 *
 * The search to a few objects finds what the search to all objects finds: on random graphs, and on a long list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "heap_dump_make.h"
#include "inspect/root_path.h"
#include "inspect/root_search.h"

enum { LINK = 0x100000, OBJECTS = 0x200000, COUNT = 300, GRAPHS = 50 };

static struct dump dump;
static struct heap *h;

static void begin(void)
{
    const struct dump_field link[] = {{"next", HEAP_OBJECT, 0}, {"other", HEAP_OBJECT, 0}};

    dump_begin(&dump);
    dump_class(&dump, &(struct dump_class){.id = LINK, .name = "Link", .fields = link, .field_count = 2});
}

static void add_link(unsigned i, unsigned next, unsigned other)
{
    dump_instance(&dump, OBJECTS + 32 * (uint64_t)i, LINK, 16);
    dump_u(&dump, next < COUNT ? OBJECTS + 32 * (uint64_t)next : 0, 8);
    dump_u(&dump, other < COUNT ? OBJECTS + 32 * (uint64_t)other : 0, 8);
}

static void load(void)
{
    struct err e;

    dump_end(&dump);
    assert_int_equal(heap_load(dump.data, dump.size, &h, &e), 0);
}

static void assert_as_searched(const struct root_search *s, uint32_t node, const struct root_path *p)
{
    uint32_t n = node;

    if (s->from[node] == HEAP_NONE) {
        assert_int_equal(p->count, 0);
        return;
    }
    for (size_t i = p->count; i-- > 0; n = s->from[n])
        assert_int_equal(p->node[i], n);
    assert_true(n == h->objects || p->count == ROOT_PATH_MAX);
}

static void check_all(void)
{
    struct root_search s;
    uint32_t target[ROOT_PATHS_MAX];
    struct root_path path[ROOT_PATHS_MAX];

    assert_int_equal(root_search_run(h, &s), 0);
    for (uint32_t n = 0; n + 1 < h->objects; n++) {
        target[0] = target[2] = n;
        target[1] = h->objects - 1 - n;
        assert_int_equal(root_paths_find(h, target, 3, path), 0);
        for (unsigned i = 0; i < 3; i++)
            assert_as_searched(&s, target[i], &path[i]);
    }
    for (unsigned i = 0; i < ROOT_PATHS_MAX; i++)
        target[i] = i * (h->objects / ROOT_PATHS_MAX);
    assert_int_equal(root_paths_find(h, target, ROOT_PATHS_MAX, path), 0);
    for (unsigned i = 0; i < ROOT_PATHS_MAX; i++)
        assert_as_searched(&s, target[i], &path[i]);
    root_search_done(&s);
    heap_free(h);
}

static void random_graphs(void **state)
{
    (void)state;
    srand(1);
    for (unsigned g = 0; g < GRAPHS; g++) {
        unsigned near = 2 + g; /* small: long paths */

        begin();
        for (unsigned i = 0; i < COUNT; i++)
            add_link(i, i + (unsigned)rand() % near, (unsigned)rand() % 3 ? COUNT : (unsigned)rand() % COUNT);
        for (unsigned i = 0; i < 3; i++) {
            dump_root(&dump, OBJECTS + 32 * ((uint64_t)rand() % COUNT));
            dump_local(&dump, OBJECTS + 32 * ((uint64_t)rand() % COUNT), 1, 0);
        }
        load();
        check_all();
    }
}

static void a_long_path_is_cut_at_its_beginning(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < COUNT; i++)
        add_link(i, i + 1, COUNT);
    dump_root(&dump, OBJECTS);
    load();
    check_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs),
        cmocka_unit_test(a_long_path_is_cut_at_its_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
