/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump in pieces of any size gives the same digest as in one; a dump that is cut gives what there is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "heap_dump_make.h"
#include "hprof/heap.h"
#include "hprof/heap_digest.h"

enum { OBJECT = 0x100, CLASS = 0x110, THREAD = 0x120, STRING = 0x130, ORDER = 0x140, ERROR = 0x150, ARRAY = 0x160 };
enum { BASE = 0x10000, ORDERS = 100, TEXTS = 400, NUMBERS = 0x50000, TABLE = 0x60000, LITTLE = 0x70000 };

static struct dump dump;
static const unsigned char *whole;
static size_t whole_size;

static void add_classes(void)
{
    static const struct dump_field thread[] = {{"tid", HEAP_LONG, 0}, {"name", HEAP_OBJECT, 0}};
    static const struct dump_field string[] = {
        {"hash", HEAP_INT, 0}, {"value", HEAP_OBJECT, 0}, {"coder", HEAP_BYTE, 0}};
    static const struct dump_field order[] = {{"id", HEAP_LONG, 0}, {"text", HEAP_OBJECT, 0}};

    static const struct dump_field statics[] = {{"COUNT", HEAP_INT, 5},          {"NUMBERS", HEAP_OBJECT, NUMBERS},
                                                {"TABLE", HEAP_OBJECT, TABLE},   {"LITTLE", HEAP_OBJECT, LITTLE},
                                                {"AGAIN", HEAP_OBJECT, NUMBERS}, {"NONE", HEAP_OBJECT, 0}};
    static const struct dump_field other[] = {{"also", HEAP_OBJECT, TABLE}, {"own", HEAP_OBJECT, TABLE + 0x8000}};

    dump_class(&dump, &(struct dump_class){.id = OBJECT, .name = "java/lang/Object"});
    dump_class(&dump, &(struct dump_class){.id = CLASS, .super = OBJECT, .name = "java/lang/Class"});
    dump_class(&dump,
               &(struct dump_class){
                   .id = THREAD, .super = OBJECT, .name = "java/lang/Thread", .fields = thread, .field_count = 2});
    dump_class(&dump,
               &(struct dump_class){
                   .id = STRING, .super = OBJECT, .name = "java/lang/String", .fields = string, .field_count = 3});
    dump_class(&dump, &(struct dump_class){.id = ORDER,
                                           .super = OBJECT,
                                           .name = "com/shop/Order",
                                           .fields = order,
                                           .field_count = 2,
                                           .statics = statics,
                                           .static_count = 6});
    dump_class(
        &dump,
        &(struct dump_class){
            .id = ERROR, .super = OBJECT, .name = "java/lang/OutOfMemoryError", .statics = other, .static_count = 2});
    dump_class(&dump, &(struct dump_class){.id = ARRAY, .super = OBJECT, .name = "[Lcom/shop/Order;"});
}

/* class_serial: in the order of add_classes. */
static void add_frame(uint64_t id, const char *method, uint32_t class_serial)
{
    uint64_t name = dump_text(&dump, method), signature = dump_text(&dump, "()V"), file = dump_text(&dump, "Cart.java");

    dump_record(&dump, 0x04, 40);
    dump_u(&dump, id, 8);
    dump_u(&dump, name, 8);
    dump_u(&dump, signature, 8);
    dump_u(&dump, file, 8);
    dump_u(&dump, class_serial, 4);
    dump_u(&dump, 61, 4);
}

static void add_trace(uint32_t serial, uint32_t thread, const uint64_t *frames, uint32_t count)
{
    dump_record(&dump, 0x05, 12 + 8 * count);
    dump_u(&dump, serial, 4);
    dump_u(&dump, thread, 4);
    dump_u(&dump, count, 4);
    for (uint32_t i = 0; i < count; i++)
        dump_u(&dump, frames[i], 8);
}

static void add_string(uint64_t id, uint64_t value)
{
    dump_instance(&dump, id, STRING, 13);
    dump_u(&dump, 0, 4);
    dump_u(&dump, value, 8);
    dump_u(&dump, 0, 1);
}

/* What statics refer to: long[1000], Order[100], int[4]; double[50] of another class. */
static void add_static_arrays(void)
{
    static const unsigned char zeros[8000];

    dump_primitives(&dump, NUMBERS, HEAP_LONG, zeros, 1000);
    dump_array(&dump, TABLE, ARRAY, 100);
    dump_bytes(&dump, zeros, 800);
    dump_primitives(&dump, TABLE + 0x8000, HEAP_DOUBLE, zeros, 50);
    dump_primitives(&dump, LITTLE, HEAP_INT, zeros, 4);
}

/* As a JVM lays it out: Order 8 + 8 + 4 with a header of 12: 24 bytes; byte[] of 10: 16 + 10: 32 bytes. */
static void add_objects(void)
{
    uint64_t at = BASE;

    for (unsigned i = 0; i < ORDERS; i++, at += 24) {
        dump_instance(&dump, at, ORDER, 16);
        dump_u(&dump, i, 8);
        dump_u(&dump, 0, 8);
    }
    for (unsigned i = 0; i < TEXTS; i++, at += 32)
        dump_primitives(&dump, at, HEAP_BYTE, "ABCDEFGHIJ", 10);
    for (unsigned i = 0; i < 4; i++, at += 16 + 4 * 20) {
        dump_array(&dump, at, ARRAY, 20);
        for (unsigned e = 0; e < 20; e++)
            dump_u(&dump, BASE, 8);
    }
    dump_instance(&dump, at, THREAD, 16);
    dump_u(&dump, 1, 8);
    dump_u(&dump, at + 32, 8);
    add_string(at + 32, at + 64);
    dump_primitives(&dump, at + 64, HEAP_BYTE, "http-\xE4", 6);
    dump_thread(&dump, at, 7);
}

static int make_dump(void **state)
{
    static const uint64_t frames[] = {0x501, 0x502, 0x503};

    (void)state;
    dump_begin(&dump);
    add_classes();
    add_frame(0x501, "<init>", 6);
    add_frame(0x502, "wait", 1);
    add_frame(0x503, "add", 5);
    add_trace(2, 7, frames, 3);
    add_objects();
    add_static_arrays();
    dump_end(&dump);
    whole = dump.data;
    whole_size = dump.size;
    return 0;
}

static ssize_t read_dump(void *ctx, void *to, size_t size, uint64_t offset)
{
    size_t have = *(size_t *)ctx;

    if (offset >= have)
        return 0;
    size = size < have - offset ? size : have - (size_t)offset;
    memcpy(to, whole + offset, size);
    return (ssize_t)size;
}

/* The digest of the dump's first bytes, fed in pieces. */
static char *digest(size_t size, size_t piece, bool stream)
{
    struct heap_digest_source source = {read_dump, &size};
    CLEANUP(heap_digest_done) struct heap_digest d = {0};
    CLEANUP(buf_done) struct buf json = {0};
    struct histogram_stream *s;
    struct summary summary;
    char *text;

    assert_int_equal(histogram_stream_new(stream, &s), 0);
    for (size_t at = 0; at < size; at += piece)
        assert_int_equal(histogram_stream_feed(s, whole + at, piece < size - at ? piece : size - at), 0);
    histogram_stream_end(s);
    assert_int_equal(heap_digest_make(&d, s, stream ? NULL : &source), 0);
    heap_digest_summary(&d, &summary);
    assert_int_equal(heap_digest_json(&d, &summary, NULL, &json), 0);
    histogram_stream_free(s);
    text = buf_take(&json);
    return text;
}

static json_t *parsed(char *text)
{
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(root);
    free(text);
    return root;
}

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const json_t *class_named(const json_t *root, const char *name)
{
    const json_t *list = json_object_get(root, "classes");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (text_eq(json_string_value(json_object_get(json_array_get(list, i), "class")), name))
            return json_array_get(list, i);
    fail_msg("no class %s", name);
    return NULL;
}

static void what_is_in_it(void **state)
{
    json_auto_t *root = parsed(digest(whole_size, whole_size, false));
    const json_t *thread = json_array_get(json_object_get(root, "threads"), 0), *one;

    (void)state;
    assert_null(json_object_get(root, "partial"));
    assert_int_equal(number(root, "reference_bytes"), 4);
    assert_int_equal(number(root, "header_bytes"), 12);
    one = class_named(root, "com.shop.Order");
    assert_int_equal(number(one, "count"), ORDERS);
    assert_int_equal(number(one, "bytes"), ORDERS * 24);
    assert_true(json_is_true(json_object_get(one, "measured")));
    one = class_named(root, "byte[]");
    assert_int_equal(number(one, "count"), TEXTS + 1);
    assert_int_equal(number(one, "bytes"), TEXTS * 32 + 24);
    one = class_named(root, "com.shop.Order[]");
    assert_int_equal(number(one, "bytes"), 4 * (16 + 4 * 20) + 16 + 4 * 100);
    assert_int_equal(number(class_named(root, "java.lang.Class"), "count"), 7);
    assert_string_equal(json_string_value(json_object_get(thread, "name")), "http-\xC3\xA4");
    assert_true(json_is_true(json_object_get(thread, "out_of_memory")));
    assert_int_equal(json_array_size(json_object_get(thread, "frames")), 2);
    assert_string_equal(
        json_string_value(json_object_get(root, "summary")),
        "Thread \"http-\xC3\xA4\" ran out of memory at com.shop.Order.add(Cart.java:61); 24.1 KiB in 518 objects: "
        "byte[] 12.5 KiB, long[] 7.8 KiB, com.shop.Order 2.3 KiB");
}

static void statics_that_hold_large_arrays(void **state)
{
    json_auto_t *root = parsed(digest(whole_size, whole_size, false));
    const json_t *statics = json_object_get(root, "statics"), *first = json_array_get(statics, 0),
                 *second = json_array_get(statics, 1), *largest = json_object_get(first, "largest");

    (void)state;
    assert_int_equal(json_array_size(statics), 2);
    assert_string_equal(json_string_value(json_object_get(first, "class")), "com.shop.Order");
    assert_int_equal(number(first, "arrays"), 2); /* one that two fields refer to counts once, a small one not */
    assert_int_equal(number(first, "bytes"), 16 + 8 * 1000 + 16 + 4 * 100);
    assert_string_equal(json_string_value(json_object_get(largest, "field")), "NUMBERS");
    assert_string_equal(json_string_value(json_object_get(largest, "class")), "long[]");
    assert_int_equal(number(largest, "length"), 1000);
    assert_string_equal(json_string_value(json_object_get(second, "class")), "java.lang.OutOfMemoryError");
    assert_int_equal(number(second, "bytes"), 16 + 8 * 50);
    assert_int_equal(number(root, "statics_left_out"), 0);
    assert_null(json_object_get(root, "statics_incomplete"));
}

static void pieces_of_any_size_give_the_same(void **state)
{
    static const size_t PIECES[] = {1, 2, 3, 7, 13, 64, 1000, 4096};
    CLEANUP_FREE char *once = digest(whole_size, whole_size, false);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(PIECES); i++) {
        CLEANUP_FREE char *again = digest(whole_size, PIECES[i], false);

        assert_string_equal(again, once);
    }
}

static void a_stream_lacks_only_names_of_threads(void **state)
{
    json_auto_t *root = parsed(digest(whole_size, 100, true));

    (void)state;
    assert_int_equal(number(class_named(root, "com.shop.Order"), "bytes"), ORDERS * 24);
    assert_true(text_starts(json_string_value(json_object_get(root, "summary")),
                            "A thread ran out of memory at com.shop.Order.add(Cart.java:61); "));
}

/* The graph that is made of the whole dump, or of a part of it, has the same classes. */
static void counts_and_sizes_are_those_of_the_graph(void **state)
{
    (void)state;
    for (size_t size = whole_size; size > 2000; size -= size > 997 ? 997 : 1) {
        json_auto_t *root = parsed(digest(size, 512, false));
        struct heap *h;
        struct err e;
        uint64_t objects = 0;

        assert_int_equal(heap_load(whole, size, &h, &e), 0);
        for (size_t i = 0; i < h->type_count; i++) {
            if (h->types[i].count == 0)
                continue;
            objects += h->types[i].count;
            assert_int_equal(number(class_named(root, h->types[i].name), "count"), h->types[i].count);
            if (!text_eq(h->types[i].name, "java.lang.Class"))
                assert_int_equal(number(class_named(root, h->types[i].name), "bytes"), h->types[i].bytes);
        }
        assert_int_equal(number(root, "objects"), objects);
        assert_true((size < whole_size) == (json_object_get(root, "partial") != NULL));
        heap_free(h);
    }
}

static void contents_that_repeat_are_found(void **state)
{
    json_auto_t *root = parsed(digest(whole_size, 4096, false));
    const json_t *repeated = json_object_get(root, "repeated");
    const json_t *first = json_array_get(json_object_get(repeated, "contents"), 0);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(first, "text")), "ABCDEFGHIJ");
    assert_in_range(number(first, "about"), TEXTS / 4, TEXTS * 4);
}

static void what_is_no_dump_is_refused(void **state)
{
    struct histogram_stream *s;

    (void)state;
    assert_int_equal(histogram_stream_new(false, &s), 0);
    assert_int_equal(histogram_stream_feed(s, "this is not a heap dump at all, not at all", 42), -EBADMSG);
    histogram_stream_free(s);
}

/* The counts of what occurs often are exact but for the error that is given with them. */
static void the_sketch_keeps_what_occurs_most(void **state)
{
    CLEANUP_FREE struct repeats *r = calloc(1, sizeof(*r));
    const struct repeat *top[3];

    (void)state;
    assert_non_null(r);
    for (uint32_t i = 0; i < 100000; i++) {
        uint64_t rare = i;

        repeats_add(r, HEAP_BYTE, &rare, sizeof(rare));
        if (i % 10 == 0)
            repeats_add(r, HEAP_BYTE, "often", 5);
        if (i % 20 == 0)
            repeats_add(r, HEAP_CHAR, "often", 5);
    }
    assert_int_equal(repeats_top(r, top, 3) >= 2, 1);
    assert_int_equal(top[0]->type, HEAP_BYTE);
    assert_in_range(top[0]->count - top[0]->error, 9000, 10000);
    assert_int_equal(top[1]->type, HEAP_CHAR);
    assert_in_range(top[1]->count - top[1]->error, 4000, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_it),
        cmocka_unit_test(statics_that_hold_large_arrays),
        cmocka_unit_test(pieces_of_any_size_give_the_same),
        cmocka_unit_test(a_stream_lacks_only_names_of_threads),
        cmocka_unit_test(counts_and_sizes_are_those_of_the_graph),
        cmocka_unit_test(contents_that_repeat_are_found),
        cmocka_unit_test(what_is_no_dump_is_refused),
        cmocka_unit_test(the_sketch_keeps_what_occurs_most),
    };

    return cmocka_run_group_tests(tests, make_dump, NULL);
}
