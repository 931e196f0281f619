/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines as kernels write them, and as they do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "linux/maps.h"

static bool parse(const char *text, char line[256], struct maps_line *ret)
{
    snprintf(line, 256, "%s", text);
    return maps_parse(line, ret);
}

static void test_a_file(void **state)
{
    char line[256];
    struct maps_line m;

    (void)state;
    assert_true(parse("7f74edb25000-7f74edc7b000 r-xp 00026000 fd:01 1234                      /usr/lib/a\\012b c.so\n",
                      line, &m));
    assert_int_equal(m.start, 0x7f74edb25000);
    assert_int_equal(m.end, 0x7f74edc7b000);
    assert_int_equal(m.offset, 0x26000);
    assert_int_equal(m.inode, 1234);
    assert_int_equal(m.protection, MAPS_READ | MAPS_EXECUTE);
    assert_false(m.shared);
    assert_string_equal(m.path, "/usr/lib/a\nb c.so");
    assert_false(maps_is_deleted(&m));
}

static void test_memory_without_a_file(void **state)
{
    char line[256];
    struct maps_line m;

    (void)state;
    assert_true(parse("1000-3000 rw-s 00000000 00:00 0\n", line, &m));
    assert_true(m.shared);
    assert_int_equal(m.protection, MAPS_READ | MAPS_WRITE);
    assert_string_equal(m.path, "");
    assert_true(parse("1000-3000 ---p 00000000 00:00 0 ", line, &m));
    assert_int_equal(m.protection, 0);
    assert_string_equal(m.path, "");
    assert_true(parse("7fff24d05000-7fff24d26000 rw-p 00000000 00:00 0                          [stack]", line, &m));
    assert_string_equal(m.path, "[stack]");
}

static void test_files_without_a_name(void **state)
{
    char line[256];
    struct maps_line m;

    (void)state;
    assert_true(parse("1000-2000 rw-s 00000000 00:01 5 /dev/zero (deleted)\n", line, &m));
    assert_true(maps_is_deleted(&m));
    assert_true(parse("1000-2000 rw-s 00000000 00:01 5 [anon: (deleted)\n", line, &m));
    assert_false(maps_is_deleted(&m));
}

static void test_what_is_no_mapping(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "Rss:                   4 kB\n",
        "VmFlags: rd wr\n",
        "1000-1000 rw-p 00000000 00:00 0\n",
        "2000-1000 rw-p 00000000 00:00 0\n",
        " 1000-2000 rw-p 00000000 00:00 0\n",
        "+1000-2000 rw-p 00000000 00:00 0\n",
        "1000-2000 rwzp 00000000 00:00 0\n",
        "1000-2000 rw-x 00000000 00:00 0\n",
        "1000-2000 rw-p 00000000 00:00\n",
        "1000-2000 rw-p 00000000 00:00 x\n",
        "1000-2000 rw-p 00000000 00:00 99999999999999999999999\n",
        "1000-11111111111111111 rw-p 00000000 00:00 0\n",
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
        struct maps_line m = {.inode = 42};
        char line[256];

        assert_false(parse(lines[i], line, &m));
        assert_string_equal(line, lines[i]);
        assert_int_equal(m.inode, 42);
    }
}

static void test_flags(void **state)
{
    unsigned flags = 99;

    (void)state;
    assert_false(maps_flags("Rss: 4 kB\n", &flags));
    assert_int_equal(flags, 99);
    assert_true(maps_flags("VmFlags: rd wr mr mw me ac sd \n", &flags));
    assert_int_equal(flags, 0);
    assert_true(maps_flags("VmFlags: rd io de dd\n", &flags));
    assert_int_equal(flags, MAPS_DONT_DUMP | MAPS_IO);
    assert_true(maps_flags("VmFlags: ht ddx iox d", &flags));
    assert_int_equal(flags, MAPS_HUGETLB);
    assert_true(maps_flags("VmFlags:", &flags));
    assert_int_equal(flags, 0);
}

static void test_sizes(void **state)
{
    uint64_t size = 1;

    (void)state;
    assert_true(maps_size("Rss:                  12 kB\n", "Rss", &size));
    assert_int_equal(size, 12 * 1024);
    assert_false(maps_size("Rss:                  13 kB\n", "Pss", &size));
    assert_false(maps_size("Rss:                  13 mB\n", "Rss", &size));
    assert_false(maps_size("Rss:                  -13 kB\n", "Rss", &size));
    assert_false(maps_size("Rss:                  18446744073709551615 kB\n", "Rss", &size));
    assert_false(maps_size("Rss", "Rss", &size));
    assert_false(maps_size("Rss:", "Rss", &size));
    assert_int_equal(size, 12 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file),
        cmocka_unit_test(test_memory_without_a_file),
        cmocka_unit_test(test_files_without_a_name),
        cmocka_unit_test(test_what_is_no_mapping),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
