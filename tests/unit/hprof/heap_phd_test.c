/* SPDX-License-Identifier: Apache-2.0
 *
 * Portable heap dumps that are written here: objects, sizes, what is taken for a root, what is retained.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "hprof/heap.h"
#include "hprof/phd_layout.h"
#include "hprof/phd_reader.h"
#include "hprof/phd_summary.h"
#include "hprof/retained.h"

enum { WIDE = 1, HASHED = 6 };

struct writer {
    struct buf out;
    unsigned version, flags;
    uint64_t last; /* address */
};

static void put(struct writer *w, uint64_t v, unsigned size)
{
    while (size-- > 0) {
        char byte = (char)(v >> (8 * size));

        assert_int_equal(buf_add(&w->out, &byte, 1), 0);
    }
}

static void put_text(struct writer *w, const char *text)
{
    put(w, strlen(text), 2);
    assert_int_equal(buf_add(&w->out, text, strlen(text)), 0);
}

static void begin(struct writer *w, unsigned version, unsigned flags)
{
    *w = (struct writer){.version = version, .flags = flags};
    put_text(w, "portable heap dump");
    put(w, version, 4);
    put(w, flags, 4);
    put(w, 1, 1);
    put(w, 4, 1);
    put_text(w, "J2RE 8.0 Linux");
    put(w, 2, 1);
    put(w, 2, 1);
}

static void put_word(struct writer *w, uint64_t v)
{
    put(w, v, w->flags & WIDE ? 8 : 4);
}

static void put_hash(struct writer *w)
{
    if ((w->flags & HASHED) == HASHED)
        put(w, 0xAAAA, 2);
}

static void put_gap(struct writer *w, uint64_t address, unsigned size)
{
    put(w, (uint64_t)((int64_t)(address - w->last) / 4), size);
    w->last = address;
}

struct references {
    uint64_t to[8];
    unsigned count;
};

static void put_references(struct writer *w, const struct references *r, unsigned size)
{
    for (unsigned i = 0; i < r->count; i++)
        put(w, (uint64_t)((int64_t)(r->to[i] - w->last) / 4), size);
}

static void put_class(struct writer *w, uint64_t address, const char *name, struct references r)
{
    put(w, 6, 1);
    put(w, 0x80 | 0x20, 1); /* distances of 4 bytes */
    put_gap(w, address, 4);
    put(w, 20, 4); /* bytes of an instance */
    put_hash(w);
    put_word(w, 0);
    put_text(w, name);
    put(w, r.count, 4);
    put_references(w, &r, 4);
}

/* A medium record, which names its class. */
static void put_object(struct writer *w, uint64_t address, uint64_t class, struct references r)
{
    put(w, 0x40 | r.count << 3 | 4 | 1, 1);
    put_gap(w, address, 2);
    put_word(w, class);
    put_hash(w);
    put_references(w, &r, 2);
}

/* A short one, with the number of a class that was named. */
static void put_short(struct writer *w, uint64_t address, unsigned cached, struct references r)
{
    put(w, 0x80 | cached << 5 | r.count << 3 | 4 | 1, 1);
    put_gap(w, address, 2);
    put_hash(w);
    put_references(w, &r, 2);
}

static void put_array(struct writer *w, uint64_t address, uint64_t class, struct references r)
{
    put(w, 8, 1);
    put(w, 0x80 | 0x20, 1);
    put_gap(w, address, 4);
    put_word(w, class);
    put_hash(w);
    put(w, r.count, 4);
    put_references(w, &r, 4);
    put(w, 10, 4); /* elements */
    if (w->version >= 6)
        put(w, 0, 4);
}

static void put_bytes(struct writer *w, uint64_t address, unsigned length)
{
    put(w, 0x20 | 4 << 2 | 1, 1);
    put_gap(w, address, 2);
    put(w, length, 2);
    put_hash(w);
    if (w->version >= 6)
        put(w, 0, 4);
}

enum {
    ORDER = 0x10000, /* classes */
    CLASS = 0x10100,
    HELD = 0x20000, /* by a static of Order */
    CHILD = 0x20018,
    LIST = 0x20030, /* Order[10] of CHILD and GRANDCHILD */
    GRANDCHILD = 0x20068,
    LOOSE = 0x20080, /* nothing refers to it */
    BYTES = 0x20098, /* 1000, of LOOSE */
    ONE = 0x20490,   /* in a circle with OTHER, to which nothing leads */
    OTHER = 0x204A8,
    BEHIND = 0x204C0, /* of the circle */
    LAST = 0x204D8
};

#define TO(...) ((struct references){{__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)})

static void put_heap(struct writer *w, unsigned version, unsigned flags)
{
    begin(w, version, flags);
    put_class(w, ORDER, "com/shop/Order", TO(HELD));
    put_class(w, CLASS, "java/lang/Class", (struct references){.count = 0});
    put(w, 4, 1); /* a long record; from here on distances are short */
    put(w, 0x80 | 0x20, 1);
    put_gap(w, HELD, 4);
    put_word(w, ORDER);
    put_hash(w);
    put(w, 3, 4);
    put_references(w, &TO(CHILD, LIST, 0x7FFF0000), 4); /* the last is no object */
    put_object(w, CHILD, ORDER, (struct references){.count = 0});
    put_array(w, LIST, ORDER, TO(CHILD, GRANDCHILD));
    put_short(w, GRANDCHILD, 0, (struct references){.count = 0});
    put_short(w, LOOSE, 1, TO(BYTES));
    put_bytes(w, BYTES, 1000);
    put_short(w, ONE, 0, TO(OTHER));
    put_object(w, OTHER, ORDER, TO(ONE, BEHIND));
    put_short(w, BEHIND, 0, (struct references){.count = 0});
    put_short(w, LAST, 0, TO(LAST)); /* refers to itself alone */
    put(w, 3, 1);
}

static uint32_t node(const struct heap *h, uint64_t address)
{
    return heap_index_find(h->index, address);
}

static bool is_root(const struct heap *h, uint64_t address)
{
    for (size_t i = 0; i < h->root_count; i++)
        if (h->roots[i].node == node(h, address))
            return true;
    return false;
}

static uint64_t kept(const struct heap *h, const struct retained *r, uint64_t address)
{
    return retained_bytes(r, retained_at(r, node(h, address)));
}

static const struct heap_type_info *type_at(const struct heap *h, uint64_t address)
{
    return &h->types[heap_type_of(h, node(h, address))];
}

static void check_heap(const struct heap *h, struct retained *r)
{
    assert_int_equal(h->objects, 12);
    assert_null(h->reader.cut);
    assert_string_equal(type_at(h, HELD)->name, "com.shop.Order");
    assert_string_equal(type_at(h, LOOSE)->name, "com.shop.Order");
    assert_string_equal(type_at(h, LIST)->name, "com.shop.Order[]");
    assert_string_equal(type_at(h, BYTES)->name, "byte[]");
    assert_string_equal(type_at(h, ORDER)->name, "java.lang.Class");
    assert_int_equal(type_at(h, HELD)->count, 8);
    assert_int_equal(heap_length_of(h, node(h, LIST)), 10);
    assert_int_equal(heap_length_of(h, node(h, BYTES)), 1000);
    assert_int_equal(heap_size(h, node(h, HELD)), 24); /* 20, aligned */
    assert_int_equal(h->array_base, 16);
    assert_int_equal(heap_size(h, node(h, BYTES)), 1016);
    assert_int_equal(heap_size(h, node(h, LIST)), 16 + 40);
    assert_int_equal(r->unreachable_count, 0);
    assert_int_equal(kept(h, r, HELD), 24 + 24 + 56 + 24);
    assert_int_equal(kept(h, r, CHILD), 24);
    assert_int_equal(kept(h, r, LIST), 56 + 24);
    assert_int_equal(kept(h, r, LOOSE), 24 + 1016);
}

static void check_roots(const struct heap *h)
{
    assert_true(is_root(h, ORDER) && is_root(h, CLASS) && is_root(h, LOOSE) && is_root(h, LAST));
    assert_true(is_root(h, ONE) != is_root(h, OTHER));
    assert_int_equal(h->root_count, 5);
}

static void objects_sizes_and_assumed_roots(void **state)
{
    static const struct {
        unsigned version, flags;
    } FORMATS[] = {{5, WIDE}, {5, 0}, {4, 0}, {6, WIDE}, {5, WIDE | HASHED}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(FORMATS); i++) {
        struct retained r = {0};
        struct summary s;
        struct heap *h;
        struct writer w;
        struct err e;

        put_heap(&w, FORMATS[i].version, FORMATS[i].flags);
        assert_int_equal(heap_load(w.out.data, w.out.size, &h, &e), 0);
        h->verify = true;
        assert_int_equal(retained_find(h, &r, &e), 0);
        check_heap(h, &r);
        check_roots(h);
        assert_int_equal(phd_summary(w.out.data, w.out.size, &s), 0);
        assert_string_equal(s.sentence, "1.3 KiB in 12 objects; most: byte[] 1016 B (1)");
        assert_int_equal(s.top_count, 4);
        assert_string_equal(s.top[1].name, "com.shop.Order");
        assert_int_equal(s.top[1].bytes, 8 * 24);
        assert_string_equal(s.top[2].name, "com.shop.Order[]");
        retained_done(&r);
        heap_free(h);
        buf_done(&w.out);
    }
}

static void an_object_that_is_there_twice_is_the_first(void **state)
{
    struct heap *h;
    struct writer w;
    struct err e;

    (void)state;
    begin(&w, 5, WIDE);
    put_class(&w, ORDER, "com/shop/Order", (struct references){.count = 0});
    put_class(&w, HELD, "com/shop/Cart", (struct references){.count = 0});
    put_object(&w, CHILD, ORDER, TO(HELD));
    put_object(&w, CHILD, HELD, TO(ORDER));
    put(&w, 3, 1);
    assert_int_equal(heap_load(w.out.data, w.out.size, &h, &e), 0);
    assert_int_equal(h->objects, 3);
    assert_string_equal(type_at(h, CHILD)->name, "com.shop.Order");
    heap_free(h);
    buf_done(&w.out);
}

static void one_cut_anywhere_gives_what_there_is(void **state)
{
    struct writer w;
    struct phd whole;

    (void)state;
    put_heap(&w, 5, WIDE);
    phd_init(&whole);
    phd_feed(&whole, w.out.data, w.out.size);
    assert_int_equal(whole.state, PHD_ENDED);
    for (size_t size = 0; size < w.out.size; size++) {
        CLEANUP_FREE char *copy = malloc(size + 1); /* so that a read beyond its end is found */
        struct summary s;
        struct heap *h;
        struct err e;

        assert_non_null(copy);
        memcpy(copy, w.out.data, size);
        if (heap_load(copy, size, &h, &e) < 0) {
            assert_true(size < 61); /* its header */
            continue;
        }
        assert_non_null(h->reader.cut);
        assert_int_equal(phd_summary(copy, size, &s), h->objects > 0 ? 0 : -EBADMSG);
        heap_free(h);
    }
    buf_done(&w.out);
}

static void sizes_of_instances_are_whole_units(void **state)
{
    const uint32_t sizes[] = {0, 1, 8, 24, 25, UINT32_MAX - 8, UINT32_MAX - 1, UINT32_MAX};
    bool measured;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        assert_int_equal(phd_instance_size(sizes[i], 1, 0, &measured) % 8, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_sizes_and_assumed_roots),
        cmocka_unit_test(an_object_that_is_there_twice_is_the_first),
        cmocka_unit_test(one_cut_anywhere_gives_what_there_is),
        cmocka_unit_test(sizes_of_instances_are_whole_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
