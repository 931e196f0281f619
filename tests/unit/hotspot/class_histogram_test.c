/* SPDX-License-Identifier: Apache-2.0
 *
 * Class histograms, and what two of them have to say of each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/class_histogram.h"

static void read_text(const char *text, struct histogram *ret)
{
    assert_int_equal(histogram_read(text, strlen(text), ret), 0);
}

static void rows_of_hotspot_are_read(void **state)
{
    CLEANUP(histogram_done) struct histogram h = {0};

    (void)state;
    read_text(" num     #instances         #bytes  class name (module)\n"
              "-------------------------------------------------------\n"
              "   2:          1000          24000  java.lang.String (java.base@17.0.2)\n"
              "   1:            10        1000016  [B (java.base@17.0.2)\n"
              "   3:             1             32  [[Ljava.lang.Object; (java.base@17.0.2)\n"
              "   4:             1             16  com.example.Cart$$Lambda/0x0000\n"
              "Total          1012        1024064\n",
              &h);
    assert_int_equal(h.count, 4);
    assert_string_equal(h.row[0].name, "byte[]");
    assert_int_equal(h.row[0].bytes, 1000016);
    assert_string_equal(h.row[1].name, "java.lang.String");
    assert_int_equal(h.row[1].instances, 1000);
    assert_string_equal(h.row[2].name, "java.lang.Object[][]");
    assert_string_equal(h.row[3].name, "com.example.Cart$$Lambda/0x0000");
    assert_int_equal(h.bytes, 1024064);
    assert_int_equal(h.instances, 1012);
}

static void rows_of_openj9_are_read(void **state)
{
    CLEANUP(histogram_done) struct histogram h = {0};

    (void)state;
    read_text("num   object count     total size    class name\n-------------------------\n"
              "    1       21        3360    [C\r\n",
              &h);
    assert_int_equal(h.count, 1);
    assert_string_equal(h.row[0].name, "char[]");
}

static void what_is_no_row_is_passed_over(void **state)
{
    CLEANUP(histogram_done) struct histogram h = {0};

    (void)state;
    read_text("", &h);
    read_text("# salvage: 1 2\n1:\n1: 2\n1: 2 3\n1: 2 3   \n1: 9999999999999999999 3 a\n1: -2 3 a\n[\n1: 2 3 [\n", &h);
    assert_int_equal(h.count, 1); /* the last: a class of that name, for all we know */
}

static void changes_are_sorted_by_their_size(void **state)
{
    CLEANUP(histogram_done) struct histogram before = {0}, after = {0};
    CLEANUP_FREE struct histogram_change *list = NULL;
    size_t count = 0;

    (void)state;
    read_text("1: 1 100 same\n2: 5 50 gone\n3: 2 20 grows\n", &before);
    read_text("1: 1 100 same\n2: 9 900 grows\n3: 1 10 new\n", &after);
    assert_int_equal(histogram_compare(&before, &after, &list, &count), 0);
    assert_int_equal(count, 4);
    assert_string_equal(list[0].after->name, "grows");
    assert_int_equal(list[0].bytes, 880);
    assert_int_equal(list[0].instances, 7);
    assert_string_equal(list[1].before->name, "gone");
    assert_null(list[1].after);
    assert_int_equal(list[1].bytes, -50);
    assert_string_equal(list[2].after->name, "new");
    assert_null(list[2].before);
    assert_int_equal(list[3].bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_hotspot_are_read),
        cmocka_unit_test(rows_of_openj9_are_read),
        cmocka_unit_test(what_is_no_row_is_passed_over),
        cmocka_unit_test(changes_are_sorted_by_their_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
