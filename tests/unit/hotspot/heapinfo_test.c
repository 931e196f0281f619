/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to GC.heap_info, of all collectors, from JDK 17 and 25.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/mem.h"
#include "hotspot/heapinfo.h"

static void check(const char *text, uint64_t expected)
{
    uint64_t bytes = 77;

    assert_int_equal(heapinfo_used(text, &bytes), 0);
    assert_int_equal(bytes, expected);
}

static void generations_are_summed_up(void **state)
{
    (void)state;
    check(" def new generation   total 19648K, used 5314K [0x00000000fc000000, 0x00000000fd550000)\n"
          "  eden space 17472K,  30% used [0x00000000fc000000, 0x00000000fc530818)\n"
          "  from space 2176K,   0% used [0x00000000fd110000, 0x00000000fd110000)\n"
          " tenured generation   total 43712K, used 7K [0x00000000fd550000, 0x0000000100000000)\n"
          "   the space 43712K,   0% used [0x00000000fd550000, 0x00000000fd550000)\n"
          " Metaspace       used 132K, committed 320K, reserved 1114112K\n"
          "  class space    used 4K, committed 128K, reserved 1048576K\n",
          5321 * 1024);
    check("PSYoungGen      total 18944K, used 5171K [0x00000000feb00000, 0x0000000100000000)\n"
          " eden space 16384K, 31% used [0x00000000feb00000,0x00000000ff00ce40,0x00000000ffb00000)\n"
          "ParOldGen       total 44032K, used 1166K [0x00000000fc000000, 0x00000000feb00000)\n"
          " object space 44032K, 2% used [0x00000000fc000000,0x00000000fc123ab8,0x00000000feb00000)\n",
          6337 * 1024);
}

static void a_heap_of_regions_is_one_number(void **state)
{
    (void)state;
    check("garbage-first heap   total reserved 65536K, committed 65536K, used 6122K [0x00000000fc000000)\n"
          " region size 1024K, 5 young (5120K), 0 survivors (0K)\n",
          6122 * 1024);
    check("Shenandoah Heap\n 65536K max, 65536K soft max, 65536K committed, 5376K used\n 256 x 256K regions\n",
          5376 * 1024);
    check("ZHeap            used 10M, capacity 64M, max capacity 64M\n Cache           54M (2)\n", 10 << 20);
    check(" ZHeap           used 3G, capacity 64G", UINT64_C(3) << 30);
    check("x, used 12B", 12);
}

static void what_tells_nothing_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "used",
        "used ",
        " used 12",
        "used 12K",
        "x used K",
        "x used 12X",
        "12% used [",
        "12K  used",
        "Metaspace used 1K",
        "  class space used 1K",
        "x used 99999999999999999999K",
        "x used 18446744073709551615K",
        "x unused 1",
    };
    uint64_t bytes = 77;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(heapinfo_used(bad[i], &bytes), -EBADMSG);
    assert_int_equal(bytes, 77);
}

static void a_sum_does_not_wrap(void **state)
{
    (void)state;
    check("a, used 17179869183G\nb, used 17179869183G\n", UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generations_are_summed_up),
        cmocka_unit_test(a_heap_of_regions_is_one_number),
        cmocka_unit_test(what_tells_nothing_is_refused),
        cmocka_unit_test(a_sum_does_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
