/* SPDX-License-Identifier: Apache-2.0
 *
 * Our core_pattern, and how another's is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "node/core_pattern.h"
#include "node/handler_protocol.h"

static void ours_fits_and_is_known_again(void **state)
{
    char pattern[CORE_PATTERN_MAX], path[CORE_PATTERN_MAX], home[CORE_PATTERN_MAX];

    (void)state;
    assert_int_equal(core_pattern_pipe("/var/lib/salvage/core/salvage", pattern), 0);
    assert_true(text_starts(pattern, "|/var/lib/salvage/core/salvage core-handler %P "));
    assert_true(core_pattern_is_pipe(pattern));
    assert_true(core_pattern_home(pattern, home));
    assert_string_equal(home, "/var/lib/salvage/core");
    assert_int_equal(core_pattern_pipe("/a b/salvage", pattern), -EINVAL);
    assert_int_equal(core_pattern_pipe("/a%e/salvage", pattern), -EINVAL);
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(core_pattern_pipe(path, pattern), -ENAMETOOLONG);
}

static void the_folder_of_a_pattern_is_that_of_our_handler_or_socket(void **state)
{
    static const char *const others[] = {"core",
                                         "",
                                         "|/usr/lib/systemd/systemd-coredump %P",
                                         "@/run/systemd/coredump.socket2",
                                         "@@socket",
                                         "@/",
                                         "|/a/salvage core-handlers %P",
                                         "|salvage core-handler %P",
                                         "/a/socket",
                                         "|",
                                         "@@",
                                         "|/salvage core-handler %P"};
    char home[CORE_PATTERN_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (core_pattern_home(others[i], home))
            fail_msg("%s: %s", others[i], home);
    assert_true(core_pattern_home("@@/a/b/socket", home));
    assert_string_equal(home, "/a/b");
    assert_true(core_pattern_home("@/a/socket", home));
    assert_string_equal(home, "/a");
}

static const char *value_of(void *ctx, char letter)
{
    (void)ctx;
    return letter == 'P' ? "12" : letter == 'e' ? "a b" : NULL;
}

static void another_is_split_before_its_specifiers_are_replaced(void **state)
{
    static const char *const want[] = {"/usr/bin/other", "12", "a b", "x12%y", "", "end"};
    struct strv v = {0};

    (void)state;
    assert_int_equal(core_pattern_expand("|/usr/bin/other  %P %e x%P%%y %q end%", value_of, NULL, &v), 0);
    assert_int_equal(v.count, ARRAY_SIZE(want));
    for (size_t i = 0; i < v.count; i++)
        assert_string_equal(v.item[i], want[i]);
    strv_done(&v);
    assert_int_equal(core_pattern_expand("core.%p", value_of, NULL, &v), -EINVAL);
    assert_int_equal(core_pattern_expand("|relative", value_of, NULL, &v), -EINVAL);
    assert_int_equal(core_pattern_expand("@@/run/x", value_of, NULL, &v), -EINVAL);
}

static void the_kernels_arguments_are_read(void **state)
{
    char *argv[] = {"core-handler",         "77", "78", "11", "1796000000", "5", "6", "2",
                    "18446744073709551615", "3",  "3",  NULL};
    char *old[] = {"core-handler", "77", "", "6", "1796000000", "5", "6", "1", "0", "", "", NULL};
    char *wrong[] = {"core-handler", "x", NULL};
    struct crash c;
    struct err e;

    (void)state;
    assert_int_equal(handler_parse(11, argv, &c, &e), 0);
    assert_int_equal(c.pid, 77);
    assert_int_equal(c.tid, 78);
    assert_int_equal(c.signal, 11);
    assert_int_equal(c.dumpable, 2);
    assert_true(c.limit == UINT64_MAX && c.pidfd == 3 && c.time_ns == 1796000000000000000);
    assert_int_equal(handler_parse(11, old, &c, &e), 0); /* no %I, %C nor %F there */
    assert_true(c.tid == 77 && c.pidfd == -1 && c.limit == 0 && c.signal == 6);
    assert_int_equal(handler_parse(2, wrong, &c, &e), -FAULT_USAGE);
    assert_int_equal(handler_parse(1, wrong, &c, &e), -FAULT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours_fits_and_is_known_again),
        cmocka_unit_test(the_folder_of_a_pattern_is_that_of_our_handler_or_socket),
        cmocka_unit_test(another_is_split_before_its_specifiers_are_replaced),
        cmocka_unit_test(the_kernels_arguments_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
