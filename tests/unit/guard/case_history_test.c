/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guard finds of an earlier one in its state folder: of this boot and of others, cut off, too old, too much, and
 * in folders that others can write to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "guard/case_history.h"
#include "scratch.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

DEFINE_CLEANUP(struct rule *, rule_free)

static struct rule_policy policy = {
    .cooldown_ms = 10 * MINUTE, .targets = 16, .at_once = 16, .per_target = {3, 24 * HOUR}};

static struct rule *make_rule(void)
{
    struct rule *rule;

    assert_int_equal(condition_parse("memory>=90%", &policy.when[0], NULL), 0);
    policy.count = 1;
    assert_int_equal(rule_new(&policy, &rule), 0);
    return rule;
}

/* Whether a case of this target would have to wait. */
static bool rests(struct rule *rule, const char *key, uint64_t now_ms)
{
    struct reading full = {.own = reading_known(95),
                           .used = reading_known(95),
                           .limit = reading_known(100),
                           .room = reading_known(5),
                           .growth = reading_known(0),
                           .events = reading_known(0)};
    struct rule_decision d;
    int target = rule_join(rule, key, now_ms);

    rule_evaluate(rule, target, &full, now_ms, &d);
    assert_true(d.answer == RULE_WAIT || d.answer == RULE_TRIGGER);
    return d.answer == RULE_WAIT;
}

static void open_history(struct case_history *h, struct rule *rule, uint64_t now_ms)
{
    struct err e = {0};

    if (case_history_open(h, scratch_root, rule, now_ms, &e) < 0)
        fail_msg("%s", e.msg);
}

static void put_line(FILE *out, const char *what, const char *boot, uint64_t mono_ms, int64_t wall_ms, const char *key)
{
    fprintf(out,
            "{\"what\":\"%s\",\"boot\":\"%s\",\"mono_ms\":%llu,\"wall_ms\":%lld,\"key\":\"%s\",\"tenant\":\"t\"}\n",
            what, boot, (unsigned long long)mono_ms, (long long)wall_ms, key);
}

static FILE *make_file(void)
{
    char path[64];

    scratch_put("guard", "cases", "");
    assert_int_equal(fchmodat(scratch_fd, "guard", 0700, 0), 0);
    snprintf(path, sizeof(path), "%s/guard/cases", scratch_root);
    return fopen(path, "w");
}

static off_t file_size(void)
{
    struct stat st;

    assert_int_equal(fstatat(scratch_fd, "guard/cases", &st, 0), 0);
    return st.st_size;
}

static void a_case_is_remembered_by_the_next_run(void **state)
{
    uint64_t now = clock_mono_ms() + HOUR;
    CLEANUP(rule_free_ptr) struct rule *first = make_rule(), *second = make_rule();
    CLEANUP(case_history_done) struct case_history h = CASE_HISTORY_NONE, again = CASE_HISTORY_NONE;
    int target;

    (void)state;
    open_history(&h, first, now);
    target = rule_join(first, "pod 1 app", now);
    assert_int_equal(case_history_add(&h, target, RULE_BEGUN, now, NULL), 0);
    open_history(&again, second, now + MINUTE);
    assert_true(rests(second, "pod 1 app", now + MINUTE));
    assert_false(rests(second, "pod 2 app", now + MINUTE));
    assert_true(file_size() > 0);
}

static void without_a_state_folder_nothing_is(void **state)
{
    CLEANUP(rule_free_ptr) struct rule *rule = make_rule();
    struct case_history h;

    (void)state;
    assert_int_equal(case_history_open(&h, NULL, rule, 1, NULL), 0);
    assert_int_equal(case_history_add(&h, rule_join(rule, "a", 1), RULE_BEGUN, 1, NULL), 0);
    assert_int_equal(faccessat(scratch_fd, "guard", F_OK, 0), -1);
}

static void another_boots_times_are_the_walls(void **state)
{
    int64_t wall_ms = clock_wall_ns() / 1000000;
    uint64_t now = clock_mono_ms() + HOUR;
    CLEANUP(rule_free_ptr) struct rule *rule = make_rule();
    CLEANUP(case_history_done) struct case_history h = CASE_HISTORY_NONE;
    FILE *out = make_file();

    (void)state;
    put_line(out, "begun", "another", 7, wall_ms - 5 * MINUTE, "fresh");
    put_line(out, "begun", "another", 7, wall_ms - 15 * MINUTE, "rested");
    put_line(out, "begun", "another", 7, wall_ms + HOUR, "ahead"); /* the clock was set back: as if it were now */
    put_line(out, "begun", "another", 7, wall_ms - 25 * HOUR, "old");
    fclose(out);
    open_history(&h, rule, now);
    assert_true(rests(rule, "fresh", now));
    assert_false(rests(rule, "rested", now));
    assert_true(rests(rule, "ahead", now));
    assert_false(rests(rule, "old", now));
}

static void what_is_no_line_is_passed_over_and_what_is_old_is_forgotten(void **state)
{
    int64_t wall_ms = clock_wall_ns() / 1000000;
    uint64_t now = clock_mono_ms() + HOUR;
    CLEANUP(rule_free_ptr) struct rule *rule = make_rule();
    CLEANUP(case_history_done) struct case_history h = CASE_HISTORY_NONE;
    FILE *out = make_file();
    off_t before;

    (void)state;
    fputs("}{ \x01\xff\n\n", out);
    for (unsigned i = 0; i < 100; i++)
        put_line(out, "begun", "another", 7, wall_ms - 30 * HOUR, "old");
    put_line(out, "begun", "another", 7, wall_ms - MINUTE, "whole");
    fputs("{\"what\":\"begun\",\"boot\":\"an", out); /* cut by a crash */
    fclose(out);
    before = file_size();
    open_history(&h, rule, now);
    assert_true(rests(rule, "whole", now));
    assert_true(file_size() < before / 50);
}

static void it_does_not_grow_for_ever(void **state)
{
    int64_t wall_ms = clock_wall_ns() / 1000000;
    uint64_t now = clock_mono_ms() + HOUR;
    CLEANUP(rule_free_ptr) struct rule *rule = make_rule(), *next = make_rule();
    CLEANUP(case_history_done) struct case_history h = CASE_HISTORY_NONE, again = CASE_HISTORY_NONE;
    FILE *out = make_file();
    char key[32];

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof(key), "k%u", i);
        put_line(out, "begun", "another", 7, wall_ms - MINUTE, key);
    }
    fclose(out);
    assert_true(file_size() > 1500000);
    open_history(&h, rule, now);
    assert_true(file_size() < 600000);
    for (unsigned i = 0; i < 8000; i++)
        assert_int_equal(case_history_add(&h, rule_join(rule, "the last", now), RULE_BEGUN, now, NULL), 0);
    assert_true(file_size() <= 1024 * 1024 + 200);
    open_history(&again, next, now);
    assert_true(rests(next, "the last", now));
}

static void a_folder_of_others_is_not_believed(void **state)
{
    CLEANUP(rule_free_ptr) struct rule *rule = make_rule();
    struct case_history h;
    struct err e = {0};

    (void)state;
    assert_int_equal(file_mkdirs(scratch_fd, "guard", 0700), 0);
    assert_int_equal(fchmodat(scratch_fd, "guard", 0777, 0), 0);
    assert_int_equal(case_history_open(&h, scratch_root, rule, 1, &e), -FAULT_STATE);
    assert_non_null(strstr(e.msg, "others could write to it"));
    assert_int_equal(unlinkat(scratch_fd, "guard", AT_REMOVEDIR), 0);
    assert_int_equal(symlinkat("/tmp", scratch_fd, "guard"), 0);
    assert_int_equal(case_history_open(&h, scratch_root, rule, 1, &e), -FAULT_STATE);
    assert_int_equal(case_history_add(&h, rule_join(rule, "a", 1), RULE_BEGUN, 1, &e), 0);
}

static void a_failure_is_reported_once(void **state)
{
    CLEANUP(rule_free_ptr) struct rule *rule = make_rule();
    CLEANUP(case_history_done) struct case_history h = CASE_HISTORY_NONE;
    struct err e = {0};
    int target = rule_join(rule, "a", 1);

    (void)state;
    open_history(&h, rule, 1);
    assert_int_equal(mkdirat(scratch_fd, "guard/cases", 0700), 0); /* no place for a file */
    assert_int_equal(case_history_add(&h, target, RULE_BEGUN, 1, &e), -EISDIR);
    assert_int_equal(case_history_add(&h, target, RULE_MADE, 1, &e), 0);
    assert_int_equal(unlinkat(scratch_fd, "guard/cases", AT_REMOVEDIR), 0);
    assert_int_equal(case_history_add(&h, target, RULE_BEGUN, 1, &e), 0);
    assert_int_equal(unlinkat(scratch_fd, "guard/cases", 0), 0);
    assert_int_equal(mkdirat(scratch_fd, "guard/cases", 0700), 0);
    assert_int_equal(case_history_add(&h, target, RULE_MADE, 1, &e), -EISDIR);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_case_is_remembered_by_the_next_run),
        TEST(without_a_state_folder_nothing_is),
        TEST(another_boots_times_are_the_walls),
        TEST(what_is_no_line_is_passed_over_and_what_is_old_is_forgotten),
        TEST(it_does_not_grow_for_ever),
        TEST(a_folder_of_others_is_not_believed),
        TEST(a_failure_is_reported_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
