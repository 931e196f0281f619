/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters from files made here, byte by byte: as JVMs write them in either order, and as nobody should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/hsperf.h"
#include "hsperf_make.h"

/* In memory of just that size, so that a step outside is seen. */
static unsigned char *exactly(const struct hsperf_made *m)
{
    unsigned char *copy = malloc(m->size ? m->size : 1);

    assert_non_null(copy);
    memcpy(copy, m->data, m->size);
    return copy;
}

static struct hsperf opened(const unsigned char *data, size_t size)
{
    struct hsperf h;

    assert_int_equal(hsperf_init(&h, data, size), 0);
    return h;
}

static void both_byte_orders_say_the_same(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct hsperf_made m = hsperf_make(big);
        CLEANUP_FREE unsigned char *data = NULL;
        struct hsperf h;
        char text[32];
        int64_t n = 0;

        hsperf_make_long(&m, "sun.gc.a", 0x0102030405060708);
        hsperf_make_long(&m, "sun.gc.b", -1);
        hsperf_make_string(&m, "sun.gc.cause", "No GC", 32);
        h = opened(data = exactly(&m), m.size);
        assert_true(hsperf_long(&h, "sun.gc.a", &n));
        assert_int_equal(n, 0x0102030405060708);
        assert_true(hsperf_long(&h, "sun.gc.b", &n));
        assert_int_equal(n, -1);
        assert_true(hsperf_string(&h, "sun.gc.cause", text, sizeof(text)));
        assert_string_equal(text, "No GC");
    }
}

static void a_name_is_the_whole_name_and_a_sort_is_its_own(void **state)
{
    struct hsperf_made m = hsperf_make(false);
    struct hsperf h;
    char text[8] = "before";
    int64_t n = 5;

    (void)state;
    hsperf_make_long(&m, "sun.gc.a", 1);
    hsperf_make_string(&m, "text", "abc", 4);
    h = opened(m.data, m.size);
    assert_false(hsperf_long(&h, "sun.gc", &n));
    assert_false(hsperf_long(&h, "sun.gc.a.b", &n));
    assert_false(hsperf_long(&h, "text", &n));
    assert_false(hsperf_string(&h, "sun.gc.a", text, sizeof(text)));
    assert_int_equal(n, 5);
    assert_string_equal(text, "before");
}

static void a_text_is_cut_to_fit_and_needs_no_end(void **state)
{
    struct hsperf_made m = hsperf_make(false);
    struct hsperf h;
    char text[8];

    (void)state;
    hsperf_make_string(&m, "long", "0123456789", 16);
    hsperf_make_string(&m, "endless", "abcd", 4);
    h = opened(m.data, m.size);
    assert_true(hsperf_string(&h, "long", text, sizeof(text)));
    assert_string_equal(text, "0123456");
    assert_true(hsperf_string(&h, "endless", text, sizeof(text)));
    assert_string_equal(text, "abcd");
    assert_true(hsperf_string(&h, "endless", text, 1));
    assert_string_equal(text, "");
    assert_false(hsperf_string(&h, "endless", text, 0));
}

static void a_jvm_that_starts_up_is_not_garbage(void **state)
{
    static const unsigned char zeros[4096];
    struct hsperf_made m = hsperf_make(false);
    struct hsperf h;

    (void)state;
    assert_int_equal(hsperf_init(&h, zeros, 0), -EAGAIN);
    assert_int_equal(hsperf_init(&h, zeros, sizeof(zeros)), -EAGAIN);
    m.data[7] = 0; /* accessible */
    assert_int_equal(hsperf_init(&h, m.data, m.size), -EAGAIN);
}

/* HotSpot counts an entry, fills it in, and then says that it has: between two of these it may be stopped. */
static void an_entry_in_the_making_ends_the_list(void **state)
{
    struct hsperf_made m = hsperf_make(false);
    struct hsperf h;
    int64_t n;

    (void)state;
    hsperf_make_long(&m, "a", 1);
    m.size += 64;
    h = opened(m.data, m.size);
    assert_true(hsperf_long(&h, "a", &n));
    assert_false(hsperf_long(&h, "b", &n));
}

static void what_is_no_such_file_is_refused(void **state)
{
    struct hsperf_made good = hsperf_make(false), m;
    struct hsperf h = {.size = 4711};

    (void)state;
    assert_int_equal(hsperf_init(&h, good.data, 31), -EBADMSG);
    assert_int_equal(hsperf_init(&h, "root:x:0:0", 10), -EBADMSG);
    m = good, m.data[0] = 0xfe;
    assert_int_equal(hsperf_init(&h, m.data, m.size), -EBADMSG);
    m = good, m.data[4] = 2; /* byte order */
    assert_int_equal(hsperf_init(&h, m.data, m.size), -EBADMSG);
    m = good, m.data[5] = 1; /* JDK 1.4.1 */
    assert_int_equal(hsperf_init(&h, m.data, m.size), -EBADMSG);
    m = good, m.data[24] = 31; /* entries within the prologue */
    assert_int_equal(hsperf_init(&h, m.data, m.size), -EBADMSG);
    m = good, m.data[27] = 0xff; /* entries far away */
    assert_int_equal(hsperf_init(&h, m.data, m.size), -EBADMSG);
    assert_int_equal(h.size, 4711);
}

/* One entry with one field turned bad: it is passed over, and the one behind it found. */
static void an_entry_that_makes_no_sense_is_passed_over(void **state)
{
    static const struct {
        unsigned at;
        unsigned char bytes[4];
    } bad[] = {
        {4, {0}},                    /* name within the header */
        {4, {19}},                   /* the same, by a byte */
        {4, {255, 255, 255, 255}},   /* name far away */
        {4, {32}},                   /* name at the end */
        {8, {1}},                    /* a vector of longs */
        {8, {255, 255, 255, 255}},   /* a huge one */
        {12, {'I', 0, 0, 0}},        /* a type that HotSpot doesn't write */
        {12, {'B', 0, 0, 0}},        /* a text of no length */
        {16, {0}},                   /* value within the header */
        {16, {25}},                  /* value that ends outside */
        {16, {255, 255, 255, 0x7f}}, /* value far away */
        {16, {0xf8, 255, 255, 255}}, /* value so far away that its end is 0 again */
        {20, {'x', 'x', 'x', 'x'}},  /* see below: no NUL */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct hsperf_made m = hsperf_make(false);
        size_t entry = m.size;
        CLEANUP_FREE unsigned char *data = NULL;
        struct hsperf h;
        int64_t n;

        hsperf_make_long(&m, "xxx", 0x7878787878787878);
        assert_int_equal(m.size - entry, 32);
        memcpy(m.data + entry + bad[i].at, bad[i].bytes, 4);
        if (bad[i].at == 20)
            memset(m.data + entry + 20, 'x', 12);
        hsperf_make_long(&m, "behind", 7);
        h = opened(data = exactly(&m), m.size);
        assert_false(hsperf_long(&h, "xxx", &n));
        assert_true(hsperf_long(&h, "behind", &n));
        assert_int_equal(n, 7);
    }
}

static void a_length_that_makes_no_sense_ends_the_list(void **state)
{
    static const uint32_t bad[] = {0, 1, 19, 41, 0x7fffffff, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct hsperf_made m = hsperf_make(false);
        CLEANUP_FREE unsigned char *data = NULL;
        size_t entry = m.size;
        struct hsperf h;
        int64_t n;

        hsperf_make_long(&m, "xxx", 1);
        hsperf_make_put(&m, entry, bad[i], 4);
        h = opened(data = exactly(&m), m.size);
        assert_false(hsperf_long(&h, "xxx", &n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_byte_orders_say_the_same),
        cmocka_unit_test(a_name_is_the_whole_name_and_a_sort_is_its_own),
        cmocka_unit_test(a_text_is_cut_to_fit_and_needs_no_end),
        cmocka_unit_test(a_jvm_that_starts_up_is_not_garbage),
        cmocka_unit_test(an_entry_in_the_making_ends_the_list),
        cmocka_unit_test(what_is_no_such_file_is_refused),
        cmocka_unit_test(an_entry_that_makes_no_sense_is_passed_over),
        cmocka_unit_test(a_length_that_makes_no_sense_ends_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
