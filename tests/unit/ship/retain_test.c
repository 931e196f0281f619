/* SPDX-License-Identifier: Apache-2.0
 *
 * Which cases a policy gives up: rules in words, and what they mean for a list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ship/case_list.h"
#include "ship/retain_plan.h"

#define HOUR_NS (INT64_C(3600) * 1000000000)
#define NOW_NS (INT64_C(1000) * 24 * HOUR_NS)

static struct case_list list;
static struct retain_policy policy;

static int tear_down(void **state)
{
    (void)state;
    case_list_done(&list);
    retain_policy_done(&policy);
    return 0;
}

/* hours: before now. Ids sort as they are added. */
static struct listed_case *add(const char *namespace, unsigned series, int hours, uint64_t bytes)
{
    struct listed_case *c;

    list.item = realloc(list.item, (list.count + 1) * sizeof(*list.item));
    c = &list.item[list.count++];
    *c = (struct listed_case){.time_ns = NOW_NS - hours * HOUR_NS,
                              .newest_ns = NOW_NS - hours * HOUR_NS,
                              .bytes = bytes,
                              .objects = 2,
                              .manifests = 1,
                              .folder = true,
                              .series = series,
                              .workload = series};
    assert_true(asprintf(&c->id, "%s/pod/%03zu", namespace, list.count) > 0);
    return c;
}

static void rule(const char *text)
{
    struct err e;

    assert_int_equal(retain_policy_add(&policy, text, &e), 0);
}

/* A letter for each case: "-" stays, a: age, c: count, n: namespace's bytes, b: bytes, f: free. */
static const char *plan(uint64_t free)
{
    static char text[64];

    assert_int_equal(retain_plan(&list, &policy, &(struct retain_now){.wall_ns = NOW_NS, .free = free}), 0);
    for (size_t i = 0; i <= list.count; i++)
        text[i] = i < list.count ? "-acnbf"[list.item[i].reason] : '\0';
    return text;
}

static void what_is_too_old_goes_even_the_ends_of_a_loop(void **state)
{
    (void)state;
    add("shop", 1, 100, 1);
    add("shop", 1, 99, 1)->pinned = true;
    add("shop", 1, 98, 1);
    add("bank", 2, 100, 1);
    add("shop", 1, 10, 1);
    rule("age=2d");
    rule("bank:age=30d");
    assert_string_equal(plan(UINT64_MAX), "a-a--");
}

static void of_a_crash_loop_the_middle_goes_first(void **state)
{
    (void)state;
    add("shop", 9, 50, 10); /* older, and alone */
    for (int i = 0; i < 6; i++)
        add("shop", 1, 40 - i, 10);
    rule("bytes=50");
    assert_string_equal(plan(UINT64_MAX), "--bb---");
    retain_policy_done(&policy);
    rule("bytes=20");
    assert_string_equal(plan(UINT64_MAX), "b-bbbb-"); /* the middle, then the oldest */
}

/* A letter for each case of the list: its suspect; ' ': none. */
static const char *suspects;
static unsigned asked;

static void say_suspect(void *ctx, const struct listed_case *c, char out[SUSPECT_MAX])
{
    size_t number = (size_t)(c - list.item);

    (void)ctx;
    asked++;
    snprintf(out, SUSPECT_MAX, "%.1s", suspects[number] == ' ' ? "" : &suspects[number]);
}

static const char *plan_of_suspects(const char *letters)
{
    static char text[64];

    suspects = letters;
    asked = 0;
    for (size_t i = 0; i < list.count; i++)
        list.item[i].asked = false, list.item[i].suspect = 0;
    assert_int_equal(retain_plan(&list, &policy, &(struct retain_now){NOW_NS, UINT64_MAX, say_suspect, NULL}), 0);
    for (size_t i = 0; i <= list.count; i++)
        text[i] = i < list.count ? "-acnbf"[list.item[i].reason] : '\0';
    return text;
}

static void of_a_crash_loop_one_case_of_each_suspect_stays(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        add("shop", 1, 40 - i, 10);
    rule("count=4");
    assert_string_equal(plan_of_suspects("AAABBCCA"), "-cc-c-c-");
    assert_string_equal(plan_of_suspects("AABCAAAB"), "-cc-cc--"); /* the end has B, too; one more may stay */
    assert_string_equal(plan_of_suspects("        "), "-cccc---");
    assert_string_equal(plan_of_suspects("A   B  A"), "-ccc-c--");
    assert_string_equal(plan_of_suspects("ABCDEFGH"), "cccc----"); /* the limit holds: the oldest go */
}

static void only_what_would_go_is_asked_for_its_suspect(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        add("shop", 1, 40 - i, 10);
    for (int i = 0; i < 10; i++)
        add("bank", 2, 40 - i, 10);
    rule("shop:count=18");
    assert_string_equal(plan_of_suspects("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "-cc---------------------------");
    assert_int_equal(asked, 4); /* those two, and the ends */
}

static void numbers_in_a_suspect_make_no_other_one(void **state)
{
    (void)state;
    assert_int_equal(retain_suspect("a local of thread \"http-8\""), retain_suspect("a local of thread \"http-4711\""));
    assert_int_not_equal(retain_suspect("static a.B"), retain_suspect("static a.C"));
    assert_int_equal(retain_suspect(""), 0);
    assert_int_not_equal(retain_suspect("a"), 0);
}

static void cases_far_apart_are_no_loop(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        add("shop", 1, 70 - 7 * i, 10);
    rule("count=2");
    assert_string_equal(plan(UINT64_MAX), "cc--");
}

static void a_count_is_of_each_workload(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        add("shop", 1, 40 - i, 10);
    for (int i = 0; i < 2; i++)
        add("bank", 2, 40 - i, 10);
    rule("count=3");
    rule("bank:count=1");
    assert_string_equal(plan(UINT64_MAX), "-c--c-");
}

static void limits_of_a_namespace_replace_the_general_ones_one_by_one(void **state)
{
    (void)state;
    add("shop", 1, 100, 10);
    add("shop", 2, 10, 10);
    add("bank", 3, 100, 10);
    rule("age=2d");
    rule("shop:bytes=10");
    assert_string_equal(plan(UINT64_MAX), "a-a"); /* shop has no age of its own */
    retain_policy_done(&policy);
    rule("shop:bytes=10");
    assert_string_equal(plan(UINT64_MAX), "n--");
}

static void free_room_counts_what_goes_already(void **state)
{
    (void)state;
    add("shop", 1, 100, 10);
    add("shop", 2, 20, 10);
    add("shop", 3, 10, 10);
    rule("age=2d,free=25");
    assert_string_equal(plan(0), "aff");
    assert_string_equal(plan(5), "af-");
    assert_string_equal(plan(30), "a--");
    assert_string_equal(plan(UINT64_MAX), "a--");
}

static void what_may_be_on_its_way_stays(void **state)
{
    (void)state;
    add("shop", 1, 100, 10)->manifests = 0; /* left of a removal long ago */
    add("shop", 2, 100, 10)->manifests = 0;
    list.item[1].newest_ns = NOW_NS - HOUR_NS;
    rule("age=2d");
    assert_string_equal(plan(UINT64_MAX), "a-");
}

static void rules_are_read_strictly(void **state)
{
    static const char *const BAD[] = {"",
                                      "age",
                                      "age=",
                                      "age=0",
                                      "age=30d,",
                                      ",age=30d",
                                      "age=30d,,",
                                      "days=30",
                                      "age=1d,age=2d",
                                      ":age=1d",
                                      "a/b:age=1d",
                                      "shop:",
                                      "shop:free=1G",
                                      "count=1.5",
                                      "bytes=-1",
                                      "age=30d;count=1"};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(BAD); i++)
        assert_int_equal(retain_policy_add(&policy, BAD[i], &e), -FAULT_USAGE);
    assert_int_equal(policy.count, 0);
    rule("age=30d,count=20,bytes=500G,free=10G");
    assert_int_equal(policy.rule[0].limits.bytes, UINT64_C(500) << 30);
    assert_int_equal(retain_policy_add(&policy, "age=1d", &e), -FAULT_USAGE);
    rule("shop:age=1d");
    assert_int_equal(retain_policy_add(&policy, "shop:count=1", &e), -FAULT_USAGE);
}

static void reasons_are_in_words(void **state)
{
    char text[RETAIN_REASON_MAX];

    (void)state;
    add("shop", 1, 100, 10);
    rule("age=36h");
    plan(0);
    assert_string_equal(retain_reason(&list.item[0], text), "older than 36h");
    retain_policy_done(&policy);
    rule("bytes=1");
    plan(0);
    assert_string_equal(retain_reason(&list.item[0], text), "more than 1 B in all");
}

static void folders_of_cases_are_known_by_their_names(void **state)
{
    const char *cause;
    int64_t time_ns;
    size_t size;

    (void)state;
    assert_true(case_folder_parse("20261121T015605Z-java-oom-0123456789abcdef", &time_ns, &cause, &size));
    assert_int_equal(time_ns, INT64_C(1795226165) * 1000000000);
    assert_memory_equal(cause, "java-oom", size);
    assert_false(case_folder_parse("shop", &time_ns, &cause, &size));
    assert_false(case_folder_parse("20261121T015605Z-java-oom-0123456789abcdeX", &time_ns, &cause, &size));
    assert_false(case_folder_parse("20261321T015605Z-java-oom-0123456789abcdef", &time_ns, &cause, &size));
    assert_false(case_folder_parse("20261121T015605Z-0123456789abcde", &time_ns, &cause, &size));
}

#define WITH(test) cmocka_unit_test_teardown(test, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(what_is_too_old_goes_even_the_ends_of_a_loop),
        WITH(of_a_crash_loop_the_middle_goes_first),
        WITH(of_a_crash_loop_one_case_of_each_suspect_stays),
        WITH(only_what_would_go_is_asked_for_its_suspect),
        WITH(numbers_in_a_suspect_make_no_other_one),
        WITH(cases_far_apart_are_no_loop),
        WITH(a_count_is_of_each_workload),
        WITH(limits_of_a_namespace_replace_the_general_ones_one_by_one),
        WITH(free_room_counts_what_goes_already),
        WITH(what_may_be_on_its_way_stays),
        WITH(rules_are_read_strictly),
        WITH(reasons_are_in_words),
        WITH(folders_of_cases_are_known_by_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
