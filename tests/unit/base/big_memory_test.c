/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays in memory and, beyond the limit, in a file: both hold what was written, grow, and are of zero.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/big_memory.h"

enum { SOME = 100 * 1000, MORE = 5 * 1000 * 1000 };

static bool is_zero(const struct big_array *a, size_t from)
{
    for (size_t i = from; i < a->size; i++)
        if (((const char *)a->data)[i])
            return false;
    return true;
}

static void check_growth(struct big_memory *m, bool file)
{
    struct big_array a = {0};

    assert_int_equal(big_array_new(&a, m, SOME), 0);
    assert_true(a.size >= SOME && is_zero(&a, 0));
    memset(a.data, 'x', SOME);
    assert_int_equal(big_array_grow(&a, MORE), 0);
    assert_true(a.size >= MORE && is_zero(&a, SOME));
    assert_int_equal(a.is_file, file);
    for (size_t i = 0; i < SOME; i++)
        assert_int_equal(((char *)a.data)[i], 'x');
    ((char *)a.data)[MORE - 1] = 'x';
    big_array_drop(&a, 0, MORE);
    assert_int_equal(((char *)a.data)[0], 0);
    assert_int_equal(((char *)a.data)[MORE - 1], 'x'); /* no whole page */
    big_array_free(&a);
    assert_null(a.data);
}

static void without_a_limit_all_is_in_memory(void **state)
{
    struct big_memory m = {.fd = -1};

    (void)state;
    check_growth(&m, false);
    assert_int_equal(m.used, 0);
}

static void beyond_the_limit_there_is_a_file(void **state)
{
    struct big_memory m = {.limit = 2 * SOME, .fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    struct big_array small = {0};
    struct stat st;

    (void)state;
    assert_true(m.fd >= 0);
    check_growth(&m, true);
    assert_int_equal(big_array_new(&small, &m, SOME), 0);
    assert_false(small.is_file);
    check_growth(&m, true); /* begins in the file, and is its last */
    big_array_free(&small);
    assert_int_equal(m.used, 0);
    assert_int_equal(fstat(m.fd, &st), 0);
    assert_true(st.st_blocks * 512 < SOME); /* given back */
    close(m.fd);
}

/* Two dumps are analysed one after the other with one file. */
static void who_has_the_file_next_finds_zeros(void **state)
{
    struct big_memory m = {.limit = 1, .fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)}, next = {0};
    struct big_array a = {0};

    (void)state;
    next = m;
    assert_int_equal(big_array_new(&a, &m, SOME), 0);
    assert_true(a.is_file);
    memset(a.data, 'x', SOME);
    big_array_drop(&a, 0, SOME);
    big_array_free(&a);
    assert_int_equal(big_array_new(&a, &next, SOME), 0);
    assert_true(a.offset == 0 && is_zero(&a, 0));
    big_array_free(&a);
    close(m.fd);
}

static void without_a_file_the_limit_is_a_ceiling(void **state)
{
    struct big_memory m = {.limit = SOME, .fd = -1};
    struct big_array a = {0};

    (void)state;
    assert_int_equal(big_array_new(&a, &m, MORE), -ENOMEM);
    assert_null(a.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_all_is_in_memory),
        cmocka_unit_test(beyond_the_limit_there_is_a_file),
        cmocka_unit_test(who_has_the_file_next_finds_zeros),
        cmocka_unit_test(without_a_file_the_limit_is_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
