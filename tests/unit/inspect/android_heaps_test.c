/* SPDX-License-Identifier: Apache-2.0
 *
 * Android's heaps: what the dump says before objects, up to the end of a segment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "heap_dump_make.h"
#include "inspect/android_heaps.h"

enum { ORDER = 0x100, CLASS = 0x110, BASE = 0x10000 };

static struct dump dump;

static void add_heap(char id, const char *name)
{
    uint64_t text = dump_text(&dump, name);

    dump_heap(&dump);
    dump_u(&dump, 0xFE, 1);
    dump_u(&dump, (unsigned char)id, 4);
    dump_u(&dump, text, 8);
}

static void add_order(unsigned number)
{
    dump_instance(&dump, BASE + (uint64_t)number * 24, ORDER, 8);
    dump_u(&dump, number, 8);
}

static void begin(char minor)
{
    const struct dump_field fields[] = {{"id", HEAP_LONG, 0}};

    dump_begin(&dump);
    dump.data[17] = (unsigned char)minor;
    dump_class(&dump, &(struct dump_class){.id = CLASS, .name = "java/lang/Class"});
    dump_class(&dump, &(struct dump_class){.id = ORDER, .name = "com/shop/Order", .fields = fields, .field_count = 1});
    for (unsigned i = 0; i < 50; i++) /* one is garbage */
        if (i != 45)
            dump_root(&dump, BASE + (uint64_t)i * 24);
}

static void find(struct android_heaps *ret)
{
    struct retained r = {0};
    struct heap *h;
    struct err e;

    assert_int_equal(heap_load(dump.data, dump.size, &h, &e), 0);
    assert_int_equal(retained_find(h, &r, &e), 0);
    assert_int_equal(android_heaps_find(h, &r, ret), 0);
    retained_done(&r);
    heap_free(h);
}

static const struct android_heap *heap_named(const struct android_heaps *a, const char *name)
{
    for (unsigned i = 0; i < a->count; i++)
        if (strcmp(a->heap[i].name, name) == 0)
            return &a->heap[i];
    fail_msg("no heap \"%s\"", name);
    return NULL;
}

static void objects_count_for_the_heap_that_was_named_last(void **state)
{
    struct android_heaps a;
    json_t *json;

    (void)state;
    begin('3');
    add_heap('Z', "zygote"); /* a name begins a segment in this writer: its objects follow in the same one */
    for (unsigned i = 0; i < 10; i++)
        add_order(i);
    add_heap('A', "app");
    for (unsigned i = 10; i < 47; i++)
        add_order(i);
    dump_segment_end(&dump);
    dump_heap(&dump); /* and here it begins anew: these are in the default heap */
    for (unsigned i = 47; i < 50; i++)
        add_order(i);
    dump_end(&dump);
    find(&a);
    assert_string_equal(a.heap[0].name, "app");
    assert_int_equal(a.heap[0].count, 36);
    assert_int_equal(a.heap[0].bytes, 36 * 24);
    assert_int_equal(a.heap[0].garbage_count, 1);
    assert_int_equal(a.heap[0].garbage_bytes, 24);
    assert_int_equal(heap_named(&a, "zygote")->count, 10);
    assert_int_equal(heap_named(&a, "zygote")->id, 'Z');
    assert_int_equal(heap_named(&a, "default")->count, 3 + 2); /* and the classes */
    json = android_heaps_json(&a);
    assert_int_equal(json_array_size(json), 3);
    json_decref(json);
}

static void others_have_none(void **state)
{
    struct android_heaps a;

    (void)state;
    begin('2');
    add_heap('A', "app");
    add_order(0);
    dump_end(&dump);
    find(&a);
    assert_int_equal(a.count, 0);
    begin('3'); /* Android's, without a name */
    add_order(0);
    dump_end(&dump);
    find(&a);
    assert_int_equal(a.count, 0);
}

static void more_heaps_than_fit_are_one(void **state)
{
    struct android_heaps a;

    (void)state;
    begin('3');
    for (unsigned i = 0; i < 40; i++) {
        add_heap((char)(i + 1), "heap");
        add_order(i);
    }
    dump_end(&dump);
    find(&a);
    assert_int_equal(a.count, ANDROID_HEAPS_MAX);
    assert_int_equal(a.heap[0].count, 40 - ANDROID_HEAPS_MAX + 2); /* the default heap is one, for classes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_count_for_the_heap_that_was_named_last),
        cmocka_unit_test(others_have_none),
        cmocka_unit_test(more_heaps_than_fit_are_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
