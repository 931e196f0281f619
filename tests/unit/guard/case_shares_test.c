/* SPDX-License-Identifier: Apache-2.0
 *
 * Two guards with one folder: what one does counts for the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "guard/case_shares.h"
#include "scratch.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static struct rule_policy policy;
static struct case_shares a, b;
static char folder[4096], why[CASE_SHARES_WHY_MAX];

static int set_up(void **state)
{
    struct err e = {0};

    if (scratch_set_up(state) < 0)
        return -1;
    policy = (struct rule_policy){.at_once = 1, .at_once_all = 2, .per_tenant = {3, DAY_MS}, .shared = {100, DAY_MS}};
    snprintf(folder, sizeof(folder), "%s/run/guards", scratch_root);
    return case_shares_open(&a, folder, &policy, &e) < 0 || case_shares_open(&b, folder, &policy, &e) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    case_shares_done(&a);
    case_shares_done(&b);
    return scratch_tear_down(state);
}

/* Its slot, or -errno. */
static int begin(const struct case_shares *s, const char *tenant)
{
    int slot, r = case_shares_begin(s, "target", tenant, &slot, why);

    assert_int_equal(r == -EBUSY, *why != '\0');
    return r < 0 ? r : slot;
}

static void a_tenant_has_one_at_a_time_and_all_have_two(void **state)
{
    int first = begin(&a, "shop"), second;

    (void)state;
    assert_true(first >= 0);
    assert_int_equal(begin(&b, "shop"), -EBUSY);
    assert_non_null(strstr(why, "--at-once)"));
    second = begin(&b, "bank");
    assert_true(second >= 0);
    assert_int_equal(begin(&b, "other"), -EBUSY);
    assert_non_null(strstr(why, "--at-once-all"));
    close(first);
    first = begin(&b, "shop");
    assert_true(first >= 0);
    close(first);
    close(second);
}

/* The process of a case has it, and the guard has not. */
static void a_killed_case_holds_nothing(void **state)
{
    int slot = begin(&a, "shop");
    pid_t child = fork();

    (void)state;
    if (child == 0)
        for (;;)
            pause();
    close(slot);
    assert_int_equal(begin(&b, "shop"), -EBUSY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    slot = begin(&b, "shop");
    assert_true(slot >= 0);
    close(slot);
}

static void caps_count_what_all_guards_did(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(close(begin(i % 2 ? &a : &b, "shop")), 0);
    assert_int_equal(begin(&a, "shop"), -EBUSY);
    assert_non_null(strstr(why, "cap of 3/day"));
    assert_int_equal(close(begin(&a, "bank")), 0);
    case_shares_undo(&b, "target", "shop"); /* nothing was stored of one of them */
    assert_int_equal(close(begin(&a, "shop")), 0);
    assert_int_equal(begin(&b, "shop"), -EBUSY);
    policy.shared.count = 4;
    assert_int_equal(begin(&b, "new"), -EBUSY);
    assert_non_null(strstr(why, "shared cap of 4/day"));
}

static void without_caps_nothing_is_counted(void **state)
{
    (void)state;
    policy.per_tenant = policy.shared = (struct rate){0};
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(close(begin(&a, "shop")), 0);
}

/* A crash may have cut it, and an old one may be long. */
static void a_damaged_file_is_as_one_that_is_not_there(void **state)
{
    static const char *const BAD[] = {"{\"what\":", "\0\0\0\n\n{}\n", "[]\n"};
    char path[5000];
    struct stat st;

    (void)state;
    snprintf(path, sizeof(path), "%s/cases", folder);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        fputs(BAD[i], f);
        fclose(f);
        assert_int_equal(close(begin(&a, "shop")), 0);
    }
    assert_int_equal(truncate(path, 10 << 20), 0);
    assert_int_equal(close(begin(&a, "shop")), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 1000);
}

static void a_folder_that_others_write_to_is_refused(void **state)
{
    struct case_shares c;
    struct err e = {0};

    (void)state;
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(case_shares_open(&c, folder, &policy, &e), -FAULT_STATE);
    assert_non_null(strstr(e.msg, "others could write"));
    assert_int_equal(c.dir, -1);
    assert_int_equal(begin(&c, "shop"), -1); /* without it a case begins, with no slot */
    case_shares_undo(&c, "target", "shop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tenant_has_one_at_a_time_and_all_have_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_case_holds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(caps_count_what_all_guards_did, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_caps_nothing_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_as_one_that_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_others_write_to_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
