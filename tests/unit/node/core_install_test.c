/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's settings in a folder of their own: installed, installed again, and put back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "node/core_home.h"
#include "node/core_install.h"

static char root[PATH_MAX], dir[PATH_MAX + 16];
static struct core_installation at;

static int set_up(void **state)
{
    if (scratch_set_up(state) < 0 || !realpath(scratch_root, root))
        return -1;
    snprintf(dir, sizeof(dir), "%s/home", root);
    at = (struct core_installation){.proc = root, .dir = dir};
    return 0;
}

static void kernel_has(const char *pattern, const char *limit)
{
    scratch_put("sys/kernel", "core_pattern", pattern);
    scratch_put("sys/kernel", "core_pipe_limit", limit);
}

static struct core_kernel kernel(void)
{
    struct core_kernel k = {0};
    struct err e;

    assert_int_equal(core_kernel_read(root, &k, &e), 0);
    return k;
}

static void install(const char *argument)
{
    CLEANUP(core_config_done) struct core_config c = {0};
    struct err e = {0};

    assert_int_equal(strv_add(&core_config_add(&c)->arguments, argument), 0);
    if (core_install(&at, &c, &e) < 0)
        fail_msg("%s", e.msg);
}

static bool fits(void)
{
    return strlen(dir) < 60; /* a core_pattern has 127 bytes */
}

static void what_was_there_comes_back_also_after_two_installs(void **state)
{
    char begins[PATH_MAX + 64];
    struct err e = {0};

    (void)state;
    if (!fits())
        skip();
    kernel_has("|/usr/lib/other %P\n", "7\n");
    install("--to=file:///a");
    snprintf(begins, sizeof(begins), "|%s/salvage core-handler ", dir);
    assert_int_equal(strncmp(kernel().pattern, begins, strlen(begins)), 0);
    assert_int_equal(kernel().pipe_limit, 64);
    install("--to=file:///b");
    assert_int_equal(core_uninstall(&at, &e), CORE_PUT_BACK);
    assert_string_equal(kernel().pattern, "|/usr/lib/other %P");
    assert_int_equal(kernel().pipe_limit, 7);
    assert_int_equal(core_uninstall(&at, &e), CORE_NOT_INSTALLED);
}

static void a_larger_limit_stays_and_anothers_pattern_too(void **state)
{
    struct err e = {0};

    (void)state;
    if (!fits())
        skip();
    kernel_has("core\n", "1000\n");
    install("--to=file:///a");
    assert_int_equal(kernel().pipe_limit, 1000);
    kernel_has("theirs\n", "5\n");
    assert_int_equal(core_uninstall(&at, &e), CORE_NOT_OURS);
    assert_string_equal(kernel().pattern, "theirs");
    assert_int_equal(kernel().pipe_limit, 5);
}

static void a_folder_that_others_may_write_to_is_refused(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(mkdir(dir, 0777), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_int_equal(core_home_open(dir, true, &e), -FAULT_STATE);
}

static void slots_are_shared(void **state)
{
    struct err e = {0};
    int home, a, b, c;

    (void)state;
    home = core_home_open(dir, true, &e);
    assert_true(home >= 0);
    assert_true((a = core_home_slot(home, "/loop", 3)) >= 0);
    assert_true((b = core_home_slot(home, "/loop", 3)) >= 0);
    assert_int_equal(core_home_slot(home, "/loop", 3), -EBUSY); /* the last one is for others */
    assert_true((c = core_home_slot(home, "/victim", 3)) >= 0);
    assert_int_equal(core_home_slot(home, "/third", 3), -EBUSY);
    close(a);
    assert_true((a = core_home_slot(home, "/loop", 3)) >= 0);
    close(a);
    close(b);
    close(c);
    assert_true((a = core_home_slot(home, "/loop", 1)) >= 0); /* one slot is for whoever comes */
    close(a);
    close(home);
}

static void the_environment_that_reaches_the_store_is_kept(void **state)
{
    char *environment[] = {"PATH=/bin", "AWS_REGION=x", "SALVAGE_HTTP_TOKEN=t", "https_proxy=p", "TOKEN=secret", NULL};
    CLEANUP(core_config_done) struct core_config c = {0};

    (void)state;
    assert_int_equal(core_install_environment(environment, core_config_add(&c)), 0);
    assert_int_equal(c.set[0].environment.count, 3);
    assert_string_equal(c.set[0].environment.item[2], "https_proxy=p");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_there_comes_back_also_after_two_installs), TEST(a_larger_limit_stays_and_anothers_pattern_too),
        TEST(a_folder_that_others_may_write_to_is_refused),      TEST(slots_are_shared),
        TEST(the_environment_that_reaches_the_store_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
