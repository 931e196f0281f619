/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes by the distances of objects, and not where ids are no addresses, as the hprof agent's are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap_dump_make.h"
#include "hprof/heap.h"

enum { POINT = 0x100000, OBJECTS = 0x200000, COUNT = 40 };

static struct dump dump;

/* Objects of 16 bytes in the dump, `distance` ids apart. */
static uint64_t size_at_distance(unsigned distance)
{
    const struct dump_field fields[] = {{"x", HEAP_LONG, 0}, {"y", HEAP_LONG, 0}};
    struct heap *h;
    struct err e;
    uint64_t size;

    dump_begin(&dump);
    dump_class(&dump, &(struct dump_class){.id = POINT, .name = "Point", .fields = fields, .field_count = 2});
    for (uint64_t i = 0; i < COUNT; i++) {
        dump_instance(&dump, OBJECTS + i * distance, POINT, 16);
        dump_u(&dump, i, 8);
        dump_u(&dump, i, 8);
    }
    dump_end(&dump);
    assert_int_equal(heap_load(dump.data, dump.size, &h, &e), 0);
    size = heap_size(h, heap_index_find(h->index, OBJECTS));
    heap_free(h);
    return size;
}

static void distances_of_addresses_are_sizes(void **state)
{
    (void)state;
    assert_int_equal(size_at_distance(24), 24); /* compact headers */
    assert_int_equal(size_at_distance(40), 40);
}

static void numbers_are_no_addresses(void **state)
{
    uint64_t usual = size_at_distance(1024);

    (void)state;
    assert_in_range(usual, 24, 32);
    assert_int_equal(size_at_distance(1), usual);
    assert_int_equal(size_at_distance(3), usual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_of_addresses_are_sizes),
        cmocka_unit_test(numbers_are_no_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
