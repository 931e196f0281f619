/* SPDX-License-Identifier: Apache-2.0
 *
 * Waste in small dumps: old layouts of the JDK's classes, garbage that does not count, objects that are there twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "heap_dump_make.h"
#include "inspect/collections.h"
#include "inspect/waste.h"

enum {
    CLASSES = 0x100000,
    STRING = CLASSES,
    ENTRIES = CLASSES + 64,
    MAP = CLASSES + 128,
    CONCURRENT = CLASSES + 192,
    BOX = CLASSES + 256,
    OBJECTS = 0x200000
};

static struct dump dump;

static struct {
    struct heap *h;
    struct retained retained;
    struct waste waste;
    struct collections collections;
} a;

static void analyse(void)
{
    struct survey_part parts[2];
    struct err e;

    assert_int_equal(heap_load(dump.data, dump.size, &a.h, &e), 0);
    assert_int_equal(retained_find(a.h, &a.retained, &e), 0);
    assert_int_equal(waste_begin(&a.waste, a.h), 0);
    assert_int_equal(collections_begin(&a.collections, a.h, &a.retained), 0);
    parts[0] = waste_part(&a.waste);
    parts[1] = collections_part(&a.collections);
    assert_int_equal(heap_survey(a.h, &a.retained, parts, 2), 0);
    assert_int_equal(waste_end(&a.waste), 0);
    collections_end(&a.collections);
}

static void done(void)
{
    collections_done(&a.collections);
    waste_done(&a.waste);
    retained_done(&a.retained);
    heap_free(a.h);
}

/* JDK 6: a String has an array of chars, an offset and a count. */
static void old_string(uint64_t id, const char *text)
{
    unsigned char chars[64] = {0};

    for (size_t i = 0; i < strlen(text); i++)
        chars[2 * i + 1] = (unsigned char)text[i];
    dump_instance(&dump, id, STRING, 8 + 4);
    dump_u(&dump, id + 32, 8);
    dump_u(&dump, 0, 4);
    dump_primitives(&dump, id + 32, HEAP_CHAR, chars, (uint32_t)strlen(text));
    dump_root(&dump, id);
}

static void classes(void)
{
    const struct dump_field string[] = {{"value", HEAP_OBJECT, 0}, {"count", HEAP_INT, 0}};

    dump_begin(&dump);
    dump_class(&dump,
               &(struct dump_class){.id = STRING, .name = "java/lang/String", .fields = string, .field_count = 2});
    dump_class(&dump, &(struct dump_class){.id = ENTRIES, .name = "[Ljava/util/Map$Entry;"});
    dump_root(&dump, STRING);
    dump_root(&dump, ENTRIES);
}

static void strings_of_chars_have_their_text(void **state)
{
    (void)state;
    classes();
    for (unsigned i = 0; i < 3; i++)
        old_string(OBJECTS + 64 * i, "hello");
    old_string(OBJECTS + 64 * 3, "other");
    dump_primitives(&dump, OBJECTS + 64 * 4, HEAP_CHAR, "\0h\0e\0l\0l\0o", 5); /* garbage */
    dump_end(&dump);
    analyse();
    assert_int_equal(a.waste.strings.count, 2);
    assert_int_equal(a.waste.strings.top_count, 1);
    assert_string_equal(a.waste.strings.top[0].text, "hello");
    assert_int_equal(a.waste.strings.top[0].count, 3);
    assert_int_equal(a.waste.strings.bytes, 2 * heap_size(a.h, a.waste.strings.top[0].node));
    assert_int_equal(a.waste.arrays.count, 0);
    done();
}

/* The hprof agent and two dumps in one file: the same object again is no duplicate. */
static void an_object_that_is_there_twice_counts_once(void **state)
{
    (void)state;
    classes();
    for (unsigned i = 0; i < 2; i++)
        old_string(OBJECTS, "hello");
    dump_end(&dump);
    analyse();
    assert_int_equal(a.waste.strings.count, 0);
    done();
}

static void zeros_and_equal_arrays(void **state)
{
    const unsigned char zeros[80] = {0}, ones[80] = {1};

    (void)state;
    classes();
    for (unsigned i = 0; i < 4; i++) {
        dump_primitives(&dump, OBJECTS + 128 * i, HEAP_LONG, i < 2 ? zeros : ones, 10);
        dump_root(&dump, OBJECTS + 128 * i);
    }
    dump_primitives(&dump, OBJECTS + 128 * 4, HEAP_BYTE, ones, 80); /* the same bytes in another type */
    dump_root(&dump, OBJECTS + 128 * 4);
    dump_primitives(&dump, OBJECTS + 128 * 5, HEAP_BYTE, zeros, 0); /* empty: no zeros */
    dump_root(&dump, OBJECTS + 128 * 5);
    dump_end(&dump);
    analyse();
    assert_int_equal(a.waste.zeros[HEAP_LONG].count, 2);
    assert_int_equal(a.waste.zeros[HEAP_BYTE].count, 0);
    assert_int_equal(a.waste.arrays.count, 1);
    assert_int_equal(a.waste.arrays.top[0].length, 10);
    done();
}

static void collection(uint64_t id, uint64_t class, uint32_t size, uint32_t slots)
{
    dump_instance(&dump, id, class, class == CONCURRENT ? 24 : 12);
    dump_u(&dump, slots ? id + 64 : 0, 8);
    dump_u(&dump, size, class == CONCURRENT ? 8 : 4);
    if (class == CONCURRENT)
        dump_u(&dump, size == 7 ? id : 0, 8); /* counters beside: the size is not all */
    dump_root(&dump, id);
    if (slots == 0)
        return;
    dump_array(&dump, id + 64, ENTRIES, slots);
    for (unsigned i = 0; i < slots; i++)
        dump_u(&dump, 0, 8);
}

static const struct collection_stats *stats_of(const char *class)
{
    uint32_t type = heap_type_named(a.h, class);

    assert_true(type != HEAP_NONE);
    return &a.collections.stats[type];
}

static void collections_by_their_fields(void **state)
{
    const struct dump_field map[] = {{"table", HEAP_OBJECT, 0}, {"size", HEAP_INT, 0}};
    const struct dump_field concurrent[] = {
        {"table", HEAP_OBJECT, 0}, {"baseCount", HEAP_LONG, 0}, {"counterCells", HEAP_OBJECT, 0}};

    (void)state;
    classes();
    dump_class(&dump, &(struct dump_class){.id = MAP, .name = "java/util/HashMap", .fields = map, .field_count = 2});
    dump_class(&dump, &(struct dump_class){.id = BOX, .super = MAP, .name = "com/shop/Map"});
    dump_class(&dump, &(struct dump_class){.id = CONCURRENT,
                                           .name = "java/util/concurrent/ConcurrentHashMap",
                                           .fields = concurrent,
                                           .field_count = 3});
    collection(OBJECTS, MAP, 0, 16);
    collection(OBJECTS + 0x1000, MAP, 0, 0);
    collection(OBJECTS + 0x2000, MAP, 8, 16);
    collection(OBJECTS + 0x3000, MAP, 9, 16);
    collection(OBJECTS + 0x4000, BOX, 1, 16); /* a subclass */
    collection(OBJECTS + 0x5000, CONCURRENT, 7, 64);
    collection(OBJECTS + 0x6000, CONCURRENT, 1, 64);
    dump_end(&dump);
    analyse();
    assert_int_equal(stats_of("java.util.HashMap")->count, 4);
    assert_int_equal(stats_of("java.util.HashMap")->empty, 2);
    assert_int_equal(stats_of("java.util.HashMap")->sparse, 1);
    assert_int_equal(stats_of("java.util.HashMap")->sparse_bytes, 8 * a.h->reference_bytes);
    assert_int_equal(stats_of("com.shop.Map")->sparse, 1);
    assert_int_equal(stats_of("com.shop.Map")->sparse_bytes, 15 * a.h->reference_bytes);
    assert_int_equal(stats_of("java.util.concurrent.ConcurrentHashMap")->count, 2);
    assert_int_equal(stats_of("java.util.concurrent.ConcurrentHashMap")->sparse, 1);
    done();
}

static void a_class_with_other_fields_is_no_collection(void **state)
{
    const struct dump_field fields[] = {{"table", HEAP_INT, 0}, {"size", HEAP_OBJECT, 0}};

    (void)state;
    classes();
    dump_class(&dump, &(struct dump_class){.id = MAP, .name = "java/util/HashMap", .fields = fields, .field_count = 2});
    dump_instance(&dump, OBJECTS, MAP, 12);
    dump_u(&dump, 0, 8);
    dump_u(&dump, 0, 4);
    dump_root(&dump, OBJECTS);
    dump_end(&dump);
    analyse();
    assert_int_equal(stats_of("java.util.HashMap")->count, 0);
    done();
}

static void equal_numbers(void **state)
{
    const struct dump_field value[] = {{"value", HEAP_LONG, 0}};

    (void)state;
    classes();
    dump_class(&dump, &(struct dump_class){.id = BOX, .name = "java/lang/Long", .fields = value, .field_count = 1});
    for (unsigned i = 0; i < 10; i++) {
        dump_instance(&dump, OBJECTS + 32 * i, BOX, 8);
        dump_u(&dump, i / 2, 8);
        dump_root(&dump, OBJECTS + 32 * i);
    }
    dump_end(&dump);
    analyse();
    assert_int_equal(a.waste.box[heap_type_named(a.h, "java.lang.Long")].count, 10);
    assert_int_equal(a.waste.box[heap_type_named(a.h, "java.lang.Long")].duplicates, 5);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_of_chars_have_their_text),
        cmocka_unit_test(an_object_that_is_there_twice_counts_once),
        cmocka_unit_test(zeros_and_equal_arrays),
        cmocka_unit_test(collections_by_their_fields),
        cmocka_unit_test(a_class_with_other_fields_is_no_collection),
        cmocka_unit_test(equal_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
