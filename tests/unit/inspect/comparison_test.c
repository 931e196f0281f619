/* SPDX-License-Identifier: Apache-2.0
 *
 * Which suspects are the same, which rows differ, and what a digest can be compared by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/comparison.h"

#define HEAP(rest) "{\"schema\":\"salvage.analysis/1\",\"reachable_bytes\":1000" rest "}"
#define SUSPECT(class, count, bytes, holder, content)                                                                  \
    "{\"class\":\"" class "\",\"count\":" count ",\"retained_bytes\":" bytes ",\"holder\":\"" holder                   \
                          "\",\"point_class\":\"x.Y[]\",\"content\":{\"class\":\"" content                             \
                          "\",\"count\":3,\"bytes\":9}}"

struct pair {
    json_t *heap[2];
    struct comparison c;
};

static struct pair compare(const char *before, const char *after)
{
    struct pair p = {.heap = {json_loads(before, 0, NULL), json_loads(after, 0, NULL)}};
    struct err e = {0};

    assert_non_null(p.heap[0]);
    assert_non_null(p.heap[1]);
    assert_int_equal(comparison_make(p.heap[0], p.heap[1], &p.c, &e), 0);
    return p;
}

static void pair_done(struct pair *p)
{
    comparison_done(&p->c);
    json_decref(p->heap[0]);
    json_decref(p->heap[1]);
}

static void assert_suspect(const struct comparison *c, size_t at, enum suspect_change change, uint64_t before,
                           uint64_t after)
{
    assert_true(at < c->suspects);
    assert_string_equal(suspect_change_name(c->suspect[at].change), suspect_change_name(change));
    assert_int_equal(c->suspect[at].retained[0], before);
    assert_int_equal(c->suspect[at].retained[1], after);
}

static void a_suspect_is_known_by_its_holder(void **state)
{
    struct pair p = compare(
        HEAP(",\"suspects\":[" SUSPECT("a.A", "1", "300", "static a.A.M (java.util.HashMap)", "a.O") "," SUSPECT(
            "a.A", "1", "200", "static a.A.N (java.util.HashMap)", "a.O") "]"),
        HEAP(",\"suspects\":[" SUSPECT("a.A", "1", "700", "static a.A.N (java.util.HashMap)", "a.O") "," SUSPECT(
            "b.Loader", "1", "250", "static a.A.M (java.util.HashMap)", "a.P") "]"));

    (void)state;
    assert_int_equal(p.c.suspects, 2);
    assert_suspect(&p.c, 0, SUSPECT_GREW, 200, 700);
    assert_suspect(&p.c, 1, SUSPECT_SHRANK, 300, 250);
    pair_done(&p);
}

static void threads_of_a_pool_are_alike_but_static_fields_are_not(void **state)
{
    struct pair p = compare(HEAP(",\"suspects\":[" SUSPECT(
                                "java.lang.Thread", "1", "300", "local of thread \\\"http-8\\\"",
                                "a.O") "," SUSPECT("java.lang.Class", "1", "200", "static a.A.M1 (x.Y)", "a.O") "]"),
                            HEAP(",\"suspects\":[" SUSPECT(
                                "java.lang.Thread", "1", "400", "local of thread \\\"http-12\\\"",
                                "a.O") "," SUSPECT("java.lang.Class", "1", "220", "static a.A.M2 (x.Y)", "a.O") "]"));

    (void)state;
    assert_int_equal(p.c.suspects, 3);
    assert_suspect(&p.c, 0, SUSPECT_NEW, 0, 220);
    assert_suspect(&p.c, 1, SUSPECT_GREW, 300, 400);
    assert_suspect(&p.c, 2, SUSPECT_GONE, 200, 0);
    pair_done(&p);
}

static void a_group_is_the_objects_of_a_class(void **state)
{
    struct pair p = compare(
        HEAP(",\"suspects\":[" SUSPECT("a.S", "500", "300", "", "a.O") "," SUSPECT("a.T", "1", "200", "", "a.O") "]"),
        HEAP(",\"suspects\":[" SUSPECT("a.S", "900", "600", "other", "a.P") "," SUSPECT("a.T", "70", "250", "",
                                                                                        "a.O") "]"));

    (void)state;
    assert_suspect(&p.c, 0, SUSPECT_GREW, 300, 600);
    assert_suspect(&p.c, 1, SUSPECT_NEW, 0, 250); /* one object is no group */
    assert_suspect(&p.c, 2, SUSPECT_GONE, 200, 0);
    pair_done(&p);
}

#define NODE(parent, class, of, bytes)                                                                                 \
    ",{\"parent\":" parent ",\"class\":\"" class "\",\"of_class\":\"" of "\",\"count\":1,\"retained_bytes\":" bytes "}"

static void what_was_no_suspect_yet_is_found_in_the_tree(void **state)
{
    struct pair p =
        compare(HEAP(",\"suspects\":[],\"tree\":[{\"parent\":null}" NODE("0", "java.lang.Class", "a.A", "90")
                         NODE("1", "java.util.HashMap", "", "60") "]"),
                HEAP(",\"suspects\":[" SUSPECT("a.L", "1", "900", "static a.A.M (java.util.HashMap)",
                                               "a.O") "],\"tree\":[{"
                                                      "\"parent\":null}" NODE("0", "a.L", "", "900")
                                                          NODE("1", "java.lang.Class", "a.A", "800")
                                                              NODE("2", "java.util.HashMap", "", "700") "]"));

    (void)state;
    assert_int_equal(p.c.suspects, 1);
    assert_suspect(&p.c, 0, SUSPECT_GREW, 60, 700); /* the map in both, not its loader */
    assert_null(p.c.suspect[0].of[0]);
    pair_done(&p);
}

static void two_that_could_be_it_are_none(void **state)
{
    struct pair p = compare(
        HEAP(",\"suspects\":[],\"tree\":[{\"parent\":null}" NODE("0", "a.C", "", "90") NODE("0", "a.C", "", "80") "]"),
        HEAP(",\"suspects\":[" SUSPECT("a.C", "1", "900", "thread",
                                       "a.O") "],\"tree\":[{\"parent\":null}" NODE("0", "a.C", "", "900") "]"));

    (void)state;
    assert_suspect(&p.c, 0, SUSPECT_NEW, 0, 900);
    pair_done(&p);
}

static void classes_of_one_name_are_one_row_and_garbage_is_not_counted(void **state)
{
    struct pair p = compare(
        HEAP(",\"classes\":[{\"class\":\"a.A\",\"count\":5,\"bytes\":50,\"retained_bytes\":60,\"unreachable_count\":2,"
             "\"unreachable_bytes\":20},{\"class\":\"a.B\",\"count\":1,\"bytes\":8,\"retained_bytes\":8},{\"class\":"
             "\"a.A\",\"count\":1,\"bytes\":10,\"retained_bytes\":10}]"),
        HEAP(",\"classes\":[{\"class\":\"a.B\",\"count\":1,\"bytes\":8,\"retained_bytes\":8},{\"class\":\"a.C\","
             "\"count\":2,\"bytes\":900,\"retained_bytes\":900}]"));
    const struct comparison_row *row = p.c.classes.row;

    (void)state;
    assert_int_equal(p.c.classes.count, 2);
    assert_int_equal(p.c.classes.same, 1);
    assert_string_equal(row[0].name, "a.C");
    assert_int_equal(comparison_growth(row[0].bytes), 900);
    assert_string_equal(row[1].name, "a.A");
    assert_int_equal(row[1].count[0], 4);
    assert_int_equal(row[1].bytes[0], 40);
    assert_int_equal(row[1].retained[0], 70);
    pair_done(&p);
}

static void beside_a_digest_all_objects_count(void **state)
{
    struct pair p = compare(
        "{\"schema\":\"salvage.digest/1\",\"objects\":9,\"bytes\":900,\"classes\":[{\"class\":\"a.A\",\"count\":5,"
        "\"bytes\":50},{\"class\":\"a.B\",\"count\":1,\"bytes\":8}]}",
        HEAP(",\"objects\":4,\"unreachable_objects\":6,\"unreachable_bytes\":100,\"suspects\":[" SUSPECT(
            "a.C", "1", "900", "x", "a.O") "],\"classes\":[{\"class\":\"a.A\",\"count\":7,\"bytes\":70,"
                                           "\"unreachable_count\":3,\"unreachable_bytes\":30,\"retained_bytes\":4},{"
                                           "\"class\":\"a.B\",\"count\":1,\"bytes\":8,\"retained_bytes\":5}]"));

    (void)state;
    assert_true(p.c.digest);
    assert_int_equal(p.c.suspects, 0);
    assert_int_equal(p.c.heap[1].objects, 10);
    assert_int_equal(p.c.heap[1].bytes, 1100);
    assert_int_equal(p.c.classes.count, 1);
    assert_int_equal(comparison_growth(p.c.classes.row[0].bytes), 20);
    pair_done(&p);
}

static void sums_of_foreign_numbers_end_at_the_largest(void **state)
{
#define MANY "{\"class\":\"a.A\",\"count\":9223372036854775807,\"bytes\":9223372036854775807}"
    struct pair p = compare(HEAP(""), HEAP(",\"classes\":[" MANY "," MANY ",{\"class\":7,\"count\":-3},5]"));

    (void)state;
    assert_string_equal(p.c.classes.row[0].name, "a.A");
    assert_int_equal(p.c.classes.row[0].bytes[1], INT64_MAX);
    assert_int_equal(comparison_growth(p.c.classes.row[0].bytes), INT64_MAX);
    pair_done(&p);
}

static void something_else_is_refused(void **state)
{
    json_auto_t *heap = json_loads(HEAP(""), 0, NULL), *other = json_loads("{\"schema\":\"x\"}", 0, NULL);
    struct comparison c;
    struct err e = {0};

    (void)state;
    assert_int_equal(comparison_make(heap, other, &c, &e), -FAULT_CORRUPT);
    assert_non_null(strstr(e.msg, "the second is neither"));
    assert_int_equal(comparison_make(other, heap, &c, &e), -FAULT_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_suspect_is_known_by_its_holder),
        cmocka_unit_test(threads_of_a_pool_are_alike_but_static_fields_are_not),
        cmocka_unit_test(a_group_is_the_objects_of_a_class),
        cmocka_unit_test(what_was_no_suspect_yet_is_found_in_the_tree),
        cmocka_unit_test(two_that_could_be_it_are_none),
        cmocka_unit_test(classes_of_one_name_are_one_row_and_garbage_is_not_counted),
        cmocka_unit_test(beside_a_digest_all_objects_count),
        cmocka_unit_test(sums_of_foreign_numbers_end_at_the_largest),
        cmocka_unit_test(something_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
