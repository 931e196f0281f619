/* SPDX-License-Identifier: Apache-2.0
 *
 * What few dumps have: several dumps in a file, segments that are empty or longer than their length can say, Android's
 * roots and heaps. Both readers, the graph's and the digest's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "heap_dump_make.h"
#include "hprof/heap.h"
#include "hprof/heap_digest.h"
#include "hprof/histogram_stream.h"

enum { ORDER = 0x100, CLASS = 0x110, BASE = 0x10000, TAG_DUMP = 0x0C, TAG_SEGMENT = 0x1C, TAG_DUMP_END = 0x2C };

static struct dump dump;

static void add_order_class(void)
{
    const struct dump_field fields[] = {{"id", HEAP_LONG, 0}};

    dump_class(&dump, &(struct dump_class){.id = CLASS, .name = "java/lang/Class"});
    dump_class(&dump, &(struct dump_class){.id = ORDER, .name = "com/shop/Order", .fields = fields, .field_count = 1});
}

static void add_orders(uint64_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        dump_instance(&dump, first + (uint64_t)i * 24, ORDER, 8);
        dump_u(&dump, i, 8);
    }
}

static void load(const void *data, size_t size, struct heap **ret)
{
    struct err e;

    assert_int_equal(heap_load(data, size, ret, &e), 0);
}

static uint64_t orders_of(const struct heap *h)
{
    return h->types[id_map_get(&h->type_of_id, ORDER)].count;
}

/* As the digest's child reads a file. */
static struct histogram_stream *histogram(const unsigned char *data, uint64_t size)
{
    struct histogram_stream *s;
    uint64_t at;

    assert_int_equal(histogram_stream_new(false, &s), 0);
    while ((at = histogram_stream_skip(s, size)) < size) {
        size_t room;
        void *space = histogram_stream_space(s, &room);

        room = room < size - at ? room : (size_t)(size - at);
        memcpy(space, data + at, room);
        assert_int_equal(histogram_stream_filled(s, room), 0);
    }
    histogram_stream_end(s);
    return s;
}

static ssize_t read_dump(void *ctx, void *to, size_t size, uint64_t offset)
{
    (void)ctx;
    size = offset >= dump.size ? 0 : size < dump.size - offset ? size : (size_t)(dump.size - offset);
    memcpy(to, dump.data + offset, size);
    return (ssize_t)size;
}

static uint64_t orders_in(const struct histogram_stream *s)
{
    return s->classes[id_map_get(&s->class_of_id, ORDER)].count;
}

static void assert_both(uint64_t orders, bool cut)
{
    struct histogram_stream *s = histogram(dump.data, dump.size);
    struct heap *h;

    load(dump.data, dump.size, &h);
    assert_int_equal(orders_of(h), orders);
    assert_int_equal(orders_in(s), orders);
    assert_true((h->reader.cut != NULL) == cut && (s->cut != NULL) == cut);
    heap_free(h);
    histogram_stream_free(s);
}

/* The first has 10 orders, the second other 20. */
static void put_two_dumps(void)
{
    dump_begin(&dump);
    add_order_class();
    add_orders(BASE, 10);
    dump_end(&dump);
    add_order_class();
    add_orders(BASE + 0x4000, 20);
    dump_end(&dump);
}

static void of_two_dumps_in_a_file_the_last_counts(void **state)
{
    struct histogram_stream *s;
    struct heap *h;

    (void)state;
    put_two_dumps();
    assert_both(20, false);
    load(dump.data, dump.size, &h);
    assert_int_equal(h->objects, 22);
    assert_int_equal(h->dumps, 2);
    assert_int_equal(h->dump_shown, 2);
    heap_free(h);
    s = histogram(dump.data, dump.size);
    assert_int_equal(s->dumps, 2);
    assert_int_equal(s->objects, 20);
    histogram_stream_free(s);
}

/* The graph shows the last that is whole; a digest, which has passed it already, what there is of the last. */
static void a_second_dump_that_is_cut(void **state)
{
    struct histogram_stream *s;
    struct heap *h;

    (void)state;
    put_two_dumps();
    dump.size -= 9 + 5 * 33 + 3;
    load(dump.data, dump.size, &h);
    assert_int_equal(orders_of(h), 10);
    assert_int_equal(h->dumps, 2);
    assert_int_equal(h->dump_shown, 1);
    assert_null(h->reader.cut);
    heap_free(h);
    s = histogram(dump.data, dump.size);
    assert_in_range(orders_in(s), 14, 15);
    assert_non_null(s->cut);
    histogram_stream_free(s);
}

/* 1.0.1: a HEAP DUMP is a whole dump, without an end. Every second of four segments becomes one. */
static void heap_dump_records_are_dumps(void **state)
{
    unsigned segments = 0;
    struct heap *h;

    (void)state;
    put_two_dumps();
    dump.data[17] = '1';
    for (size_t at = 31, step; at < dump.size; at += step) {
        step = 9 + ((size_t)dump.data[at + 5] << 24 | (size_t)dump.data[at + 6] << 16 | (size_t)dump.data[at + 7] << 8 |
                    dump.data[at + 8]);
        if (dump.data[at] == TAG_SEGMENT && segments++ % 2)
            dump.data[at] = TAG_DUMP;
        else if (dump.data[at] == TAG_DUMP_END)
            dump.data[at] = 0x0E; /* CONTROL SETTINGS */
    }
    assert_both(20, false);
    load(dump.data, dump.size, &h);
    assert_int_equal(h->dump_shown, 2);
    heap_free(h);
}

static void put_empty_segment(unsigned tag)
{
    dump_record(&dump, tag, 0);
}

static void empty_segments_are_passed_over(void **state)
{
    (void)state;
    dump_begin(&dump);
    add_order_class();
    add_orders(BASE, 10);
    put_empty_segment(TAG_SEGMENT);
    put_empty_segment(TAG_DUMP);
    dump_heap(&dump);
    add_orders(BASE + 0x4000, 5);
    put_empty_segment(TAG_SEGMENT);
    dump_end(&dump);
    assert_both(15, false);
}

/* Its length was never filled in, or had more than 32 bits: it goes to the end. */
static void a_segment_without_a_length_goes_to_the_end(void **state)
{
    static const unsigned char TAGS[] = {TAG_DUMP, TAG_SEGMENT};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(TAGS); i++) {
        for (int end = 0; end < 2; end++) {
            dump_begin(&dump);
            dump.data[17] = end ? '2' : '1'; /* which has no end */
            add_order_class();
            add_orders(BASE, 10);
            dump_record(&dump, TAGS[i], 0);
            dump.length_at = 1; /* so that nothing is filled in */
            add_orders(BASE + 0x4000, 20);
            dump.length_at = 0;
            if (end)
                dump_end(&dump);
            assert_both(30, false);
        }
    }
}

/* A dump with a long[] of more than 4 GiB, which is all zeros: memory that is never touched. */
struct large {
    unsigned char *data;
    size_t room, size;
};

static void put_large(struct large *l, bool no_length)
{
    uint32_t elements = (1u << 29) + 100;
    uint64_t bytes = (uint64_t)elements * 8, body;
    size_t at;

    dump_begin(&dump);
    add_order_class();
    dump_record(&dump, TAG_SEGMENT, 0);
    dump.length_at = 1;
    at = dump.size;
    add_orders(BASE, 10);
    dump_primitives(&dump, BASE + 0x4000, HEAP_LONG, "", 0);
    dump.data[dump.size - 5] = (unsigned char)(elements >> 24); /* its length */
    dump.data[dump.size - 2] = (unsigned char)elements;
    dump.length_at = 0;
    l->room = dump.size + bytes + 1000;
    l->data = mmap(NULL, l->room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(l->data != MAP_FAILED);
    memcpy(l->data, dump.data, dump.size);
    l->size = dump.size + bytes;
    dump.size = 0;
    dump.length_at = 1;
    add_orders(BASE + 0x8000, 7);
    body = l->size + dump.size - at;
    dump.length_at = 0;
    dump_end(&dump);
    memcpy(l->data + l->size, dump.data, dump.size);
    l->size += dump.size;
    for (unsigned i = 0; i < 4 && !no_length; i++)
        l->data[at - 4 + i] = (unsigned char)(body >> (24 - 8 * i));
}

static void segments_of_more_than_4_gib(void **state)
{
    (void)state;
    for (int no_length = 0; no_length < 2; no_length++) {
        struct histogram_stream *s;
        struct large l;
        struct heap *h;

        put_large(&l, no_length);
        load(l.data, l.size, &h);
        assert_null(h->reader.cut);
        assert_int_equal(orders_of(h), 17);
        assert_int_equal(heap_length_of(h, heap_index_find(h->index, BASE + 0x4000)), (1u << 29) + 100);
        heap_free(h);
        s = histogram(l.data, l.size);
        if (no_length) {
            assert_null(s->cut);
            assert_int_equal(orders_in(s), 17);
        } else { /* a stream's end is not known: what makes no sense is said */
            assert_non_null(s->cut);
        }
        histogram_stream_free(s);
        munmap(l.data, l.room);
    }
}

static void androids_roots_are_roots(void **state)
{
    static const struct {
        unsigned char tag, more; /* bytes behind the id */
    } ROOTS[] = {{0xFF, 0}, {0x01, 8}, {0x02, 8}, {0x03, 8}, {0x04, 4}, {0x05, 0}, {0x06, 4}, {0x07, 0},
                 {0x08, 8}, {0x89, 0}, {0x8A, 0}, {0x8B, 0}, {0x8C, 0}, {0x8D, 0}, {0x8E, 8}, {0x90, 0}};
    struct heap *h;

    (void)state;
    dump_begin(&dump);
    dump.data[17] = '3';
    add_order_class();
    for (unsigned i = 0; i < ARRAY_SIZE(ROOTS); i++) {
        dump_u(&dump, ROOTS[i].tag, 1);
        dump_u(&dump, BASE + (uint64_t)i * 24, 8);
        for (unsigned k = 0; k < ROOTS[i].more; k++)
            dump_u(&dump, 0, 1);
    }
    add_orders(BASE, ARRAY_SIZE(ROOTS) + 1);
    dump_end(&dump);
    assert_both(ARRAY_SIZE(ROOTS) + 1, false);
    load(dump.data, dump.size, &h);
    assert_int_equal(h->graph.root_count, ARRAY_SIZE(ROOTS));
    heap_free(h);
}

/* The hprof agent's ids are numbers, and its classes have dots: no distance is a size, and classes are counted. */
static void ids_that_are_no_addresses(void **state)
{
    const struct dump_field fields[] = {{"id", HEAP_LONG, 0}};
    struct histogram_stream *s;
    struct heap_digest d;
    struct heap *h;

    (void)state;
    dump_begin(&dump);
    dump_class(&dump, &(struct dump_class){.id = CLASS, .name = "java.lang.Class"});
    dump_class(&dump, &(struct dump_class){.id = ORDER, .name = "com.shop.Order", .fields = fields, .field_count = 1});
    for (unsigned i = 0; i < 40; i++) {
        dump_instance(&dump, BASE + i, ORDER, 8);
        dump_u(&dump, i, 8);
    }
    dump_end(&dump);
    load(dump.data, dump.size, &h);
    s = histogram(dump.data, dump.size);
    assert_int_equal(heap_digest_make(&d, s, &(struct heap_digest_source){.read = read_dump}), 0);
    assert_int_equal(d.rows[0].bytes, 40 * 24);
    assert_int_equal(d.rows[0].bytes, h->types[id_map_get(&h->type_of_id, ORDER)].bytes);
    assert_false(d.rows[0].measured);
    assert_int_equal(s->objects, h->objects);
    heap_digest_done(&d);
    histogram_stream_free(s);
    heap_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_dumps_in_a_file_the_last_counts),
        cmocka_unit_test(a_second_dump_that_is_cut),
        cmocka_unit_test(heap_dump_records_are_dumps),
        cmocka_unit_test(empty_segments_are_passed_over),
        cmocka_unit_test(a_segment_without_a_length_goes_to_the_end),
        cmocka_unit_test(segments_of_more_than_4_gib),
        cmocka_unit_test(ids_that_are_no_addresses),
        cmocka_unit_test(androids_roots_are_roots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
