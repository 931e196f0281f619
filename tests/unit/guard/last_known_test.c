/* SPDX-License-Identifier: Apache-2.0
 *
 * To which cgroup a kill belongs, and which kills were not reported.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "guard/last_known.h"

enum { WAIT = 1500 };

static struct oomkill k;

static void set(char *to, const char *text)
{
    strcpy(to, text);
}

static void a_kill_is_known_by_pid_and_name(void **state)
{
    struct last_known l = {.pid = 42, .name = "java"};

    (void)state;
    oomkill_init(&k);
    k.process.pid = 42;
    assert_false(last_known_is(&l, &k));
    set(k.process.name, "java");
    assert_true(last_known_is(&l, &k));
    k.process.pid = 43;
    assert_false(last_known_is(&l, &k));
}

static void a_kill_is_known_by_its_container(void **state)
{
    struct last_known l = {.container_id = "aa", .path = (char[]){"/kubepods/pod1/aa"}};

    (void)state;
    oomkill_init(&k);
    set(k.where.container_id, "aa");
    assert_true(last_known_is(&l, &k));
    set(k.where.container_id, "bb");
    set(k.limit_cgroup, "/kubepods/pod1/aa");
    assert_false(last_known_is(&l, &k));
}

static void a_kill_is_known_by_its_cgroup(void **state)
{
    struct last_known l = {.path = (char[]){"/a/b"}};

    (void)state;
    oomkill_init(&k);
    assert_false(last_known_is(&l, &k));
    set(k.task_cgroup, "/a/b/c");
    assert_true(last_known_is(&l, &k));
    set(k.task_cgroup, "/a/bc");
    assert_false(last_known_is(&l, &k));
    set(k.limit_cgroup, "/a/b");
    assert_true(last_known_is(&l, &k));
    l.path = (char[]){"/"};
    assert_false(last_known_is(&l, &k));
}

static void what_is_counted_before_is_not_told(void **state)
{
    struct last_known l = {0};

    (void)state;
    assert_int_equal(last_known_count(&l, 7, WAIT, 1000), 0);
    assert_int_equal(last_known_count(&l, 7, WAIT, 9000), 0);
    assert_int_equal(l.due_ms, 0);
}

static void the_log_may_come_before_the_count_or_behind_it(void **state)
{
    struct last_known l = {0};

    (void)state;
    last_known_count(&l, 0, WAIT, 1000);
    last_known_reported(&l, 1, 1010);
    assert_int_equal(last_known_count(&l, 1, WAIT, 1020), 0);
    assert_int_equal(last_known_count(&l, 2, WAIT, 2000), 0);
    assert_int_equal(l.due_ms, 2000 + WAIT);
    last_known_reported(&l, 1, 2100);
    assert_int_equal(last_known_count(&l, 2, WAIT, 9000), 0);
    assert_int_equal(l.due_ms, 0);
}

static void what_the_log_never_tells_is_told_once(void **state)
{
    struct last_known l = {0};

    (void)state;
    last_known_count(&l, 0, WAIT, 1000);
    assert_int_equal(last_known_count(&l, 3, WAIT, 2000), 0);
    assert_int_equal(last_known_count(&l, 3, WAIT, 2000 + WAIT), 3);
    assert_int_equal(last_known_count(&l, 3, WAIT, 9000), 0);
    assert_int_equal(last_known_count(&l, 4, 0, 9001), 1);
}

/* We were not run for longer than that; meanwhile another one was killed. */
static void each_is_waited_for_anew(void **state)
{
    struct last_known l = {0};

    (void)state;
    last_known_count(&l, 0, WAIT, 1000);
    assert_int_equal(last_known_count(&l, 1, WAIT, 2000), 0);
    last_known_reported(&l, 1, 2000 + WAIT);
    assert_int_equal(last_known_count(&l, 2, WAIT, 2001 + WAIT), 0);
    assert_int_equal(l.due_ms, 2001 + 2 * WAIT);
    assert_int_equal(last_known_count(&l, 2, WAIT, 2001 + 2 * WAIT), 1);
}

static void what_the_log_leaves_out_between_others_is_told(void **state)
{
    struct last_known l = {0};
    uint64_t now = 1000, reported = 0;

    (void)state;
    last_known_count(&l, 0, WAIT, now);
    for (uint64_t kill = 1; kill <= 110; kill++) {
        now += WAIT / 3;
        reported += last_known_count(&l, kill, WAIT, now);
        if (kill % 11)
            last_known_reported(&l, 1, now + 10);
    }
    assert_in_range(reported, 7, 10);
    assert_int_equal(reported + last_known_count(&l, 110, 0, now + 20), 10);
}

static void who_was_counted_later_is_waited_for_longer(void **state)
{
    struct last_known l = {0};

    (void)state;
    last_known_count(&l, 0, WAIT, 1000);
    assert_int_equal(last_known_count(&l, 2, WAIT, 2000), 0);
    assert_int_equal(last_known_count(&l, 5, WAIT, 1999 + WAIT), 0);
    assert_int_equal(last_known_count(&l, 5, WAIT, 2000 + WAIT), 2);
    assert_int_equal(last_known_count(&l, 5, WAIT, 2001 + WAIT), 0);
    assert_int_equal(l.due_ms, 2000 + 2 * WAIT);
    assert_int_equal(last_known_count(&l, 6, WAIT, 2000 + 2 * WAIT), 3);
    assert_int_equal(last_known_count(&l, 7, 0, 2001 + 2 * WAIT), 2);
    assert_int_equal(last_known_count(&l, 9, WAIT, 9000), 0);
    assert_int_equal(last_known_count(&l, 10, 0, 9000 + 2 * WAIT), 3);
}

/* Its cgroup goes. */
static void who_cannot_wait_any_more_is_told_at_once(void **state)
{
    struct last_known l = {0};

    (void)state;
    last_known_count(&l, 0, WAIT, 1000);
    assert_int_equal(last_known_count(&l, 1, WAIT, 2000), 0);
    assert_int_equal(last_known_count(&l, 1, 0, 2010), 1);
}

/* A cgroup below has the count. */
static void what_is_told_but_never_counted_hides_no_later_one(void **state)
{
    struct last_known l = {0};

    (void)state;
    last_known_count(&l, 0, WAIT, 1000);
    last_known_reported(&l, 2, 1000);
    assert_int_equal(last_known_count(&l, 0, WAIT, 1000 + WAIT + 1), 0);
    last_known_count(&l, 1, WAIT, 5000);
    assert_int_equal(last_known_count(&l, 1, WAIT, 5000 + WAIT), 1);
}

static void a_counted_kill_has_what_was_seen_last(void **state)
{
    struct last_known l = {.path = (char[]){"/a"}, .stat = (char[]){"anon 5\nfile 6\nbad\n"}, .taken = {.id = "0123"}};

    (void)state;
    l.sample = (struct memcg_sample){.usage = 20, .used = 10, .limit = 100};      /* after the kill */
    l.stat_sample = (struct memcg_sample){.usage = 99, .used = 90, .limit = 100}; /* with the statistics */
    last_known_kill(&l, "why so", 1, &k);
    assert_string_equal(k.source, "counters");
    assert_string_equal(k.note, "why so");
    assert_string_equal(k.why, "limit");
    assert_int_equal(k.memory.usage, 99);
    assert_int_equal(k.memory.limit, 100);
    assert_string_equal(k.task_cgroup, "/a");
    assert_string_equal(k.limit_cgroup, "/a");
    assert_string_equal(k.case_id, "0123");
    assert_int_equal(k.stat_count, 2);
    assert_string_equal(k.stat[1].name, "file");
    assert_int_equal(k.stat[1].value, 6);
    assert_true(k.process.pid == OOMKILL_UNKNOWN);
}

/* The statistics are the cgroup's, the limit is another one's. */
static void beside_a_limit_further_up_stand_no_statistics(void **state)
{
    struct last_known l = {.path = (char[]){"/a"}, .stat = (char[]){"anon 5\n"}};

    (void)state;
    l.stat_sample = (struct memcg_sample){.usage = 7, .used = 90, .limit = 100, .level = 1};
    last_known_kill(&l, "why so", 1, &k);
    assert_string_equal(k.why, "parent-limit");
    assert_int_equal(k.memory.usage, 90);
    assert_string_equal(k.limit_cgroup, "");
    assert_int_equal(k.stat_count, 0);
}

static void a_process_is_known_by_what_it_says_of_itself(void **state)
{
    CLEANUP(last_known_done) struct last_known l = {0};

    (void)state;
    last_known_process(&l, getpid());
    assert_int_equal(l.pid, getpid());
    assert_string_equal(l.name, "last_known_test");
    assert_non_null(l.who.host);
    /* It lives on: that it was killed would be a guess. */
    last_known_kill(&l, "", 1, &k);
    assert_true(k.process.pid == OOMKILL_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_is_known_by_pid_and_name),
        cmocka_unit_test(a_kill_is_known_by_its_container),
        cmocka_unit_test(a_kill_is_known_by_its_cgroup),
        cmocka_unit_test(what_is_counted_before_is_not_told),
        cmocka_unit_test(the_log_may_come_before_the_count_or_behind_it),
        cmocka_unit_test(what_the_log_never_tells_is_told_once),
        cmocka_unit_test(each_is_waited_for_anew),
        cmocka_unit_test(what_the_log_leaves_out_between_others_is_told),
        cmocka_unit_test(who_was_counted_later_is_waited_for_longer),
        cmocka_unit_test(who_cannot_wait_any_more_is_told_at_once),
        cmocka_unit_test(what_is_told_but_never_counted_hides_no_later_one),
        cmocka_unit_test(a_counted_kill_has_what_was_seen_last),
        cmocka_unit_test(beside_a_limit_further_up_stand_no_statistics),
        cmocka_unit_test(a_process_is_known_by_what_it_says_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
