/* SPDX-License-Identifier: Apache-2.0
 *
 * Pressure as kernels write it, and as none does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/mem.h"
#include "linux/psi.h"

static void both_lines_are_read(void **state)
{
    struct psi p = {0};

    (void)state;
    assert_int_equal(psi_parse("some avg10=1.25 avg60=0.07 avg300=100.00 total=626899\n"
                               "full avg10=0.50 avg60=12.34 avg300=0.00 total=245237\n",
                               &p),
                     0);
    assert_float_equal(p.some.avg10, 1.25, 1e-9);
    assert_float_equal(p.some.avg60, 0.07, 1e-9);
    assert_float_equal(p.some.avg300, 100, 1e-9);
    assert_int_equal(p.some.total_us, 626899);
    assert_float_equal(p.full.avg10, 0.5, 1e-9);
    assert_float_equal(p.full.avg60, 12.34, 1e-9);
    assert_int_equal(p.full.total_us, 245237);
}

static void a_kernel_may_have_no_full_line(void **state)
{
    struct psi p = {.full.total_us = 7};

    (void)state;
    assert_int_equal(psi_parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=1", &p), 0);
    assert_int_equal(p.some.total_us, 1);
    assert_int_equal(p.full.total_us, 0);
}

static void anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "\n\n",
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=-1\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=1x\n",
        "some avg10=0,00 avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=0.1 avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=nan avg60=0.00 avg300=0.00 total=1\n",
        "some avg60=0.00 avg10=0.00 avg300=0.00 total=1\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=99999999999999999999\n",
    };
    struct psi p = {.some.total_us = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(psi_parse(bad[i], &p), -EINVAL);
    assert_int_equal(p.some.total_us, 77);
}

static void a_share_is_of_the_time_that_passed(void **state)
{
    (void)state;
    assert_float_equal(psi_share(1000, 251000, 1000000), 0.25, 1e-9);
    assert_float_equal(psi_share(0, 2000, 1000), 1, 1e-9);
    assert_float_equal(psi_share(5, 4, 1000), 0, 1e-9);
    assert_float_equal(psi_share(0, 4, 0), 0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_lines_are_read),
        cmocka_unit_test(a_kernel_may_have_no_full_line),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_share_is_of_the_time_that_passed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
