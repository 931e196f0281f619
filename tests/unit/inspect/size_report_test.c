/* SPDX-License-Identifier: Apache-2.0
 *
 * Which sizes are measured, and which are the formula's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "heap_dump_make.h"
#include "inspect/size_report.h"

enum { CLASS = 0x110, ORDER = 0x120, ITEM = 0x130, RARE = 0x140, BASE = 0x10000 };

static struct dump dump;

/* 40 orders side by side, so many Items apart, two of Rare. */
static void put_heap(void)
{
    const struct dump_field fields[] = {{"id", HEAP_LONG, 0}};
    static const char *const NAMES[] = {"com/shop/Order", "com/shop/Item", "com/shop/Rare"};

    dump_begin(&dump);
    dump_class(&dump, &(struct dump_class){.id = CLASS, .name = "java/lang/Class"});
    for (unsigned i = 0; i < 3; i++)
        dump_class(&dump, &(struct dump_class){
                              .id = ORDER + i * 0x10ull, .name = NAMES[i], .fields = fields, .field_count = 1});
    for (uint64_t i = 0; i < 40; i++) {
        dump_instance(&dump, BASE + i * 32, ORDER, 8);
        dump_u(&dump, i, 8);
    }
    for (uint64_t i = 0; i < 40; i++) {
        dump_instance(&dump, BASE + 0x4000 + i * 1024, ITEM, 8);
        dump_u(&dump, i, 8);
    }
    for (uint64_t i = 0; i < 2; i++) {
        dump_instance(&dump, BASE + 0x40000 + i * 24, RARE, 8);
        dump_u(&dump, i, 8);
    }
    dump_end(&dump);
}

static void load(struct heap **ret)
{
    struct err e;

    put_heap();
    assert_int_equal(heap_load(dump.data, dump.size, ret, &e), 0);
}

static void only_instances_that_lie_side_by_side_are_measured(void **state)
{
    static const struct {
        uint64_t id;
        bool measured;
        uint32_t size;
    } TYPES[] = {{ORDER, true, 32}, {ITEM, false, 24}, {RARE, false, 24}};
    struct heap *h;
    json_t *json;

    (void)state;
    load(&h);
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(*TYPES); i++) {
        const struct heap_type_info *t = &h->types[id_map_get(&h->type_of_id, TYPES[i].id)];

        assert_int_equal(t->measured, TYPES[i].measured);
        assert_int_equal(t->size, TYPES[i].size);
    }
    json = size_report_json(h);
    assert_int_equal(json_integer_value(json_object_get(json, "formula_classes")), 3);
    assert_int_equal(json_integer_value(json_object_get(json, "formula_bytes")),
                     42 * 24 + h->types[id_map_get(&h->type_of_id, CLASS)].bytes);
    json_decref(json);
    heap_free(h);
}

static void the_line_names_the_largest(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct heap *h;

    (void)state;
    load(&h);
    size_report_print(h, out);
    fclose(out);
    assert_non_null(strstr(text, "by the usual formula: 1.0 KiB"));
    assert_non_null(strstr(text, "in 3 classes, most com.shop.Item 960 B, "));
    assert_null(strstr(text, "com.shop.Order"));
    free(text);
    heap_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_instances_that_lie_side_by_side_are_measured),
        cmocka_unit_test(the_line_names_the_largest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
