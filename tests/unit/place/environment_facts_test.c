/* SPDX-License-Identifier: Apache-2.0
 *
 * What surrounds us, told from roots made here, and what a claim keeps of it. No service is asked: metadata services
 * are the whole-program tests'.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "place/environment_facts.h"
#include "scratch.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void the_container_is_known_by_its_cgroup_else_by_its_mounts(void **state)
{
    const struct whoami who = {0};

    (void)state;
    for (int i = 0; i < 3; i++) {
        CLEANUP(facts_done) struct facts f = {0};

        if (i == 1)
            scratch_put("proc/self", "mountinfo",
                        "1 2 8:1 /docker/containers/" ID "/hostname /etc/hostname rw - ext4 x rw\n");
        if (i == 2)
            scratch_put("proc/self", "cgroup", "4:memory:/ecs/x/cd189a933e5849daa93386466019ab50-2495160603\n");
        assert_int_equal(environment_facts_get(scratch_root, &who, &f), 0);
        assert_false(f.asked);
        if (i == 0)
            assert_null(f.container_id);
        else
            assert_string_equal(f.container_id, i == 1 ? ID : "cd189a933e5849daa93386466019ab50-2495160603");
    }
}

static void a_claim_keeps_what_its_first_attempt_knew(void **state)
{
    CLEANUP(facts_done) struct facts given = {.asked = true}, first = {0}, later = {0}, second = {0};

    (void)state;
    assert_int_equal(facts_set(&given.task, "one"), 0);
    assert_int_equal(environment_facts_of_claim(scratch_fd, &given, &first), 0);
    assert_string_equal(first.task, "one");
    assert_int_equal(facts_set(&later.task, "two"), 0);
    assert_int_equal(facts_set(&later.zone, "z"), 0);
    assert_int_equal(environment_facts_of_claim(scratch_fd, &later, &second), 0);
    assert_string_equal(second.task, "one");
    assert_null(second.zone);
    assert_true(second.asked);
}

static void a_claim_keeps_that_nothing_was_known(void **state)
{
    CLEANUP(facts_done) struct facts given = {.asked = true}, first = {0}, later = {0}, second = {0};

    (void)state;
    assert_int_equal(environment_facts_of_claim(scratch_fd, &given, &first), 0);
    assert_int_equal(facts_set(&later.task, "two"), 0);
    assert_int_equal(environment_facts_of_claim(scratch_fd, &later, &second), 0);
    assert_null(second.task);
}

static void nothing_is_written_where_nothing_was_asked(void **state)
{
    CLEANUP(facts_done) struct facts given = {0}, first = {0};

    (void)state;
    assert_int_equal(environment_facts_of_claim(scratch_fd, &given, &first), 0);
    assert_int_equal(faccessat(scratch_fd, "facts", F_OK, 0), -1);
}

static void a_damaged_note_or_none_at_all_is_no_trouble(void **state)
{
    static const char *const bad[] = {"", "{\"asked\":tr", "[]", "{\"asked\":true,\"task\":1}"};
    CLEANUP(facts_done) struct facts given = {.asked = true}, f = {0};

    (void)state;
    assert_int_equal(facts_set(&given.task, "one"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        facts_done(&f);
        scratch_put(".", "facts", bad[i]);
        assert_int_equal(environment_facts_of_claim(scratch_fd, &given, &f), 0);
        assert_string_equal(f.task, "one");
    }
    facts_done(&f);
    assert_int_equal(environment_facts_of_claim(-1, &given, &f), 0);
    assert_string_equal(f.task, "one");
}

static void a_link_or_a_pipe_for_a_note_leads_nowhere(void **state)
{
    CLEANUP(facts_done) struct facts given = {.asked = true}, f = {0}, g = {0};
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_int_equal(facts_set(&given.task, "one"), 0);
    scratch_put(".", "victim", "precious");
    assert_int_equal(symlinkat("victim", scratch_fd, "facts"), 0);
    assert_int_equal(environment_facts_of_claim(scratch_fd, &given, &f), 0);
    assert_int_equal(file_load(scratch_fd, "victim", &b), 0);
    assert_string_equal(buf_text(&b), "precious");
    assert_int_equal(unlinkat(scratch_fd, "facts", 0), 0);
    assert_int_equal(mkfifoat(scratch_fd, "facts", 0600), 0);
    assert_int_equal(environment_facts_of_claim(scratch_fd, &given, &g), 0);
    assert_string_equal(g.task, "one");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_container_is_known_by_its_cgroup_else_by_its_mounts),
        TEST(a_claim_keeps_what_its_first_attempt_knew),
        TEST(a_claim_keeps_that_nothing_was_known),
        TEST(nothing_is_written_where_nothing_was_asked),
        TEST(a_damaged_note_or_none_at_all_is_no_trouble),
        TEST(a_link_or_a_pipe_for_a_note_leads_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
