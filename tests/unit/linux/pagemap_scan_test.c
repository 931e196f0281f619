/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own pages, in a large mapping of which few were touched. A kernel before 6.7 can't say: then nothing is passed
 * over.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "linux/pagemap_scan.h"

static void what_was_never_touched_is_passed_over(void **state)
{
    CLEANUP_FD int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    size_t size = (size_t)1 << 36, page = (size_t)sysconf(_SC_PAGESIZE), middle = size / 2;
    char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint64_t start = (uintptr_t)map, end = start + size, next;

    (void)state;
    assert_true(pagemap >= 0 && map != MAP_FAILED);
    madvise(map, size, MADV_NOHUGEPAGE);
    map[middle] = 1;
    next = pagemap_next(pagemap, start, end);
    if (next == start) {
        print_message("this kernel has no PAGEMAP_SCAN\n");
    } else {
        assert_int_equal(next, start + middle);
        assert_int_equal(pagemap_next(pagemap, next, end), next);
        assert_int_equal(pagemap_next(pagemap, next + page, end), end);
    }
    munmap(map, size);
}

static void without_an_answer_nothing_is_passed_over(void **state)
{
    (void)state;
    assert_int_equal(pagemap_next(-1, 4096, 8192), 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_never_touched_is_passed_over),
        cmocka_unit_test(without_an_answer_nothing_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
