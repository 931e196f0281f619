/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing on a thread: the same bytes at the same places, with flushes after any byte, past the page cache and through
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/file.h"
#include "scratch.h"
#include "serve/disk_writer.h"
#include "stand_in.h"

enum { SIZE = 6 * 1024 * 1024 + 77 };

/* Of the file system: has no O_DIRECT, or writes a part and has none then, or is full behind this many bytes. */
static bool refuses, refuses_in_the_middle;
static size_t full_at;
static size_t direct, cached; /* bytes */
static struct disk_writers *writers;
static unsigned char data[SIZE];
static int fd;

STANDS_IN(fake_write, write);
REAL(real_write, write);

ssize_t fake_write(int to, const void *from, size_t size)
{
    bool is_direct = (fcntl(to, F_GETFL) & O_DIRECT) != 0;
    ssize_t n;

    if (to != fd)
        return real_write(to, from, size);
    if (is_direct && refuses)
        return errno = EINVAL, -1;
    if (direct + cached >= full_at)
        return errno = ENOSPC, -1;
    if (is_direct && refuses_in_the_middle) {
        refuses = true;
        size = DISK_WRITER_ALIGN;
    }
    if (is_direct)
        assert_int_equal((uintptr_t)from % DISK_WRITER_ALIGN + (size_t)lseek(to, 0, SEEK_CUR) % DISK_WRITER_ALIGN, 0);
    if ((n = real_write(to, from, size)) > 0)
        *(is_direct ? &direct : &cached) += (size_t)n;
    return n;
}

static bool wants_direct;

static struct disk_writer *begin(uint64_t end_of_file)
{
    return disk_writer_new(writers, &(struct disk_writer_file){fd, end_of_file, wants_direct});
}

static int set_up(void **state)
{
    refuses = refuses_in_the_middle = false;
    full_at = SIZE_MAX;
    wants_direct = true;
    direct = cached = 0;
    writers = disk_writers_new(2);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 31 + i / 4096);
    if (!writers || scratch_set_up(state) < 0)
        return -1;
    fd = openat(scratch_fd, "object", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    close(fd);
    disk_writers_free(writers);
    return scratch_tear_down(state);
}

static void assert_stored(size_t size)
{
    unsigned char *is = malloc(SIZE + 1);

    assert_non_null(is);
    assert_int_equal(file_pread(fd, is, SIZE + 1, 0), size);
    assert_memory_equal(is, data, size);
    free(is);
}

/* Adds what lies between, half of it without a copy. */
static void add(struct disk_writer *w, size_t from, size_t to)
{
    for (bool copies = false; from < to; copies = !copies) {
        size_t size = to - from < 100000 ? to - from : 100000;
        void *space = copies ? NULL : disk_writer_space(w, &size);

        if (space)
            memcpy(space, data + from, size);
        assert_int_equal(disk_writer_add(w, space ? space : data + from, size), 0);
        from += size;
    }
}

static void write_all(void)
{
    static const size_t FLUSHED[] = {0, 1, 4096, 4097, 8192, 1000000, 1000001, 3 << 20, SIZE};
    struct disk_writer *w = begin(0);

    assert_non_null(w);
    for (size_t i = 1; i < sizeof(FLUSHED) / sizeof(*FLUSHED); i++) {
        add(w, FLUSHED[i - 1], FLUSHED[i]);
        assert_int_equal(disk_writer_flush(w), 0);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), FLUSHED[i]);
    }
    disk_writer_free(w);
    assert_int_equal(fcntl(fd, F_GETFL) & O_DIRECT, 0);
    assert_stored(SIZE);
}

static void all_of_it_is_written_with_flushes_anywhere(void **state)
{
    (void)state;
    write_all();
    assert_int_equal(direct + cached, SIZE);
    if (direct > 0) /* the file system of this folder has O_DIRECT */
        assert_true(cached < 7 * DISK_WRITER_ALIGN);
}

static void the_page_cache_is_used_where_it_is_wanted(void **state)
{
    (void)state;
    wants_direct = false;
    write_all();
    assert_int_equal(cached, SIZE);
}

static void a_file_system_without_direct_writes_will_do(void **state)
{
    (void)state;
    refuses = true;
    write_all();
    assert_int_equal(cached, SIZE);
}

static void a_direct_write_that_ends_early_goes_on_behind_it(void **state)
{
    (void)state;
    refuses_in_the_middle = true;
    write_all();
    assert_int_equal(direct + cached, SIZE);
}

static void it_goes_on_in_the_middle_of_a_block(void **state)
{
    struct disk_writer *w;

    (void)state;
    assert_int_equal(file_write(fd, data, 12345), 0);
    direct = cached = 0;
    w = begin(12345);
    assert_non_null(w);
    add(w, 12345, SIZE);
    assert_int_equal(disk_writer_flush(w), 0);
    disk_writer_free(w);
    assert_stored(SIZE);
}

static void a_full_disk_is_reported_and_what_was_written_stays(void **state)
{
    struct disk_writer *w = begin(0);
    size_t at = 0;
    int r = 0;

    (void)state;
    assert_non_null(w);
    full_at = 2 << 20;
    for (; r == 0 && at + 65536 <= SIZE; at += 65536)
        r = disk_writer_add(w, data + at, 65536);
    assert_int_equal(r, -ENOSPC);
    assert_int_equal(disk_writer_flush(w), -ENOSPC);
    disk_writer_free(w);
    assert_stored(2 << 20);
}

static void there_are_a_few_at_a_time(void **state)
{
    struct disk_writer *first = begin(0), *second = begin(0);

    (void)state;
    assert_non_null(first);
    assert_non_null(second);
    assert_null(begin(0));
    disk_writer_free(first);
    first = begin(0);
    assert_non_null(first);
    add(first, 0, 5000); /* not flushed: an upload that was dropped */
    disk_writer_free(first);
    disk_writer_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_of_it_is_written_with_flushes_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_page_cache_is_used_where_it_is_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_system_without_direct_writes_will_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_direct_write_that_ends_early_goes_on_behind_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_on_in_the_middle_of_a_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_reported_and_what_was_written_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_are_a_few_at_a_time, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
