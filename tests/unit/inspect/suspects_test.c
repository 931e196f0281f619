/* SPDX-License-Identifier: Apache-2.0
 *
 * A group's path is what the paths to most of its objects have in common, and that of its largest object where they
 * have nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap_dump_make.h"
#include "inspect/suspect_path.h"
#include "inspect/suspects.h"

enum { CLASS = 0x100000, ITEM = CLASS + 64, ARRAY = CLASS + 128, A = CLASS + 192, OBJECTS = 0x200000, ITEMS = 60 };

static struct dump dump;

static struct {
    struct heap *h;
    struct retained retained;
    struct heap_threads threads;
    struct suspects suspects;
} a;

static void holder(unsigned number, uint64_t array)
{
    const struct dump_field field[] = {{"HELD", HEAP_OBJECT, array}};
    char name[] = "HolderA";

    name[6] = (char)('A' + number);
    dump_class(&dump, &(struct dump_class){.id = A + 64 * number, .name = name, .statics = field, .static_count = 1});
}

static uint64_t array_id(unsigned number)
{
    return OBJECTS + 0x8000 * (number + 1);
}

static uint64_t item_id(unsigned i)
{
    return OBJECTS + 64 * (uint64_t)i;
}

static void begin(void)
{
    const struct dump_field field[] = {{"body", HEAP_OBJECT, 0}};

    dump_begin(&dump);
    dump_class(&dump, &(struct dump_class){.id = CLASS, .name = "java/lang/Class"});
    dump_class(&dump, &(struct dump_class){.id = ITEM, .name = "Item", .fields = field, .field_count = 1});
    dump_class(&dump, &(struct dump_class){.id = ARRAY, .name = "[LItem;"});
}

/* An array of these items, held by a static field. */
static void hold(unsigned number, unsigned from, unsigned to)
{
    holder(number, array_id(number));
    dump_array(&dump, array_id(number), ARRAY, to - from);
    for (unsigned i = from; i < to; i++)
        dump_u(&dump, item_id(i), 8);
    dump_root(&dump, A + 64 * number);
}

/* Each item has a body of its own; the last the largest. */
static void items(void)
{
    static const unsigned char body[400];

    for (unsigned i = 0; i < ITEMS; i++) {
        uint64_t id = OBJECTS + 0x100000 + 512 * (uint64_t)i;

        dump_instance(&dump, item_id(i), ITEM, 8);
        dump_u(&dump, id, 8);
        dump_primitives(&dump, id, HEAP_BYTE, body, i + 1 == ITEMS ? 400 : 200);
    }
}

static const struct suspect *find(void)
{
    struct err e;

    dump_end(&dump);
    assert_int_equal(heap_load(dump.data, dump.size, &a.h, &e), 0);
    assert_int_equal(retained_find(a.h, &a.retained, &e), 0);
    assert_int_equal(suspects_find(a.h, &a.retained, &a.suspects), 0);
    assert_int_equal(suspect_paths_find(a.h, &a.threads, &a.suspects), 0);
    assert_int_equal(a.suspects.count, 1);
    assert_string_equal(a.h->types[a.suspects.suspect[0].type].name, "Item");
    assert_int_equal(a.suspects.suspect[0].count, ITEMS);
    return &a.suspects.suspect[0];
}

static void done(void)
{
    suspects_done(&a.suspects);
    retained_done(&a.retained);
    heap_free(a.h);
}

/* All but the largest hang on two arrays, which none of them dominates. */
static void most_paths_are_the_groups(void **state)
{
    const struct suspect *s;

    (void)state;
    begin();
    hold(0, 0, ITEMS - 1);
    hold(1, 0, ITEMS - 1);
    hold(2, ITEMS - 1, ITEMS);
    hold(3, ITEMS - 1, ITEMS);
    items();
    s = find();
    assert_in_range(s->path_percent, 90, 99);
    assert_int_equal(s->path_count, 3);
    assert_string_equal(s->path[0], "static HolderA.HELD");
    assert_string_equal(s->path[1], "Item[]");
    assert_string_equal(s->path[2], "Item");
    assert_string_equal(s->holder, "static HolderA.HELD (Item[])");
    done();
}

/* Each third has holders of its own. */
static void without_a_common_path_it_is_the_largests(void **state)
{
    const struct suspect *s;

    (void)state;
    begin();
    for (unsigned i = 0; i < 3; i++) {
        hold(2 * i, i * ITEMS / 3, (i + 1) * ITEMS / 3);
        hold(2 * i + 1, i * ITEMS / 3, (i + 1) * ITEMS / 3);
    }
    items();
    s = find();
    assert_int_equal(s->path_percent, 0);
    assert_string_equal(s->path[0], "static HolderE.HELD");
    assert_int_equal(s->path_count, 3);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_paths_are_the_groups),
        cmocka_unit_test(without_a_common_path_it_is_the_largests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
