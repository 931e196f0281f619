/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a file once, resuming in it, following one that grows, and taking a stream as it comes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ship/intake.h"

enum { BLOCK = 4096 };

static int temporary(void)
{
    char path[] = "/tmp/intake_test.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

/* A whole dump, its one heap segment as long as asked. */
static size_t write_dump(int fd, uint32_t segment, uint32_t length_in_head)
{
    unsigned char head[31] = "JAVA PROFILE 1.0.2";
    unsigned char record[9] = {0x1c};
    unsigned char end[9] = {0x2c};
    unsigned char *body = calloc(1, segment);

    head[22] = 8;
    for (int i = 0; i < 4; i++)
        record[5 + i] = (unsigned char)(length_in_head >> (24 - 8 * i));
    memset(body, 0x21, segment);
    assert_int_equal(file_write(fd, head, sizeof(head)), 0);
    assert_int_equal(file_write(fd, record, sizeof(record)), 0);
    assert_int_equal(file_write(fd, body, segment), 0);
    assert_int_equal(file_write(fd, end, sizeof(end)), 0);
    free(body);
    return sizeof(head) + sizeof(record) + segment + sizeof(end);
}

static void begin(struct intake *in, int fd, enum intake_source source)
{
    struct err e;

    assert_int_equal(intake_init(in, &(struct intake_config){fd, "m", "x.hprof", BLOCK, source, 0}, &e), 0);
    assert_int_equal(intake_read_head(in, &e), 0);
}

static uint64_t read_all(struct intake *in)
{
    static char block[BLOCK];
    uint64_t size = 0;
    ssize_t n;
    struct err e;

    while ((n = intake_read(in, block, &e)) > 0)
        size += (uint64_t)n;
    assert_int_equal(n, 0);
    return size;
}

static void a_whole_dump_is_whole(void **state)
{
    int fd = temporary();
    size_t size = write_dump(fd, 100000, 100000);
    struct intake in;
    struct err e;
    char why[200];

    (void)state;
    begin(&in, fd, INTAKE_FILE);
    assert_int_equal(read_all(&in), size);
    assert_int_equal(intake_verify(&in, &e), 0);
    assert_null(intake_partial(&in, why, sizeof(why)));
    intake_done(&in);
    close(fd);
}

static void a_resume_ends_with_the_same_digest_and_verdict(void **state)
{
    int fd = temporary();
    struct intake whole, resumed;
    struct err e;
    char saved[DIGEST_SAVED_MAX] = "", a[DIGEST_HEX_MAX], b[DIGEST_HEX_MAX], block[BLOCK], why[200];

    (void)state;
    write_dump(fd, 100000, 100000);
    begin(&whole, fd, INTAKE_FILE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(intake_read(&whole, block, &e), BLOCK);
    digest_save(&whole.digest, saved);
    read_all(&whole);
    begin(&resumed, fd, INTAKE_FILE);
    assert_int_equal(intake_resume(&resumed, 5 * BLOCK, saved, &e), 0);
    read_all(&resumed);
    digest_hex(&whole.digest, a);
    digest_hex(&resumed.digest, b);
    assert_string_equal(a, b);
    assert_null(intake_partial(&resumed, why, sizeof(why)));
    intake_done(&whole);
    intake_done(&resumed);
    close(fd);
}

/* Data at odd places, holes before, between and behind it. */
static void a_sparse_file_is_its_bytes(void **state)
{
    static const uint64_t at[] = {0, 5 * BLOCK - 3, 9 * BLOCK, 40 * BLOCK + 100, 200 * BLOCK};
    static char block[BLOCK], expected[BLOCK];
    int fd = temporary();
    uint64_t offset = 0;
    struct intake in;
    struct err e;
    ssize_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        assert_int_equal(pwrite(fd, "data", 4, (off_t)at[i]), 4);
    assert_int_equal(ftruncate(fd, 300 * BLOCK + 17), 0);
    assert_int_equal(intake_init(&in, &(struct intake_config){fd, "m", "x.core", BLOCK, INTAKE_FILE, 0}, &e), 0);
    assert_int_equal(intake_read_head(&in, &e), 0);
    memset(block, 0x55, sizeof(block));
    while ((n = intake_read(&in, block, &e)) > 0) {
        assert_int_equal(pread(fd, expected, BLOCK, (off_t)offset), n);
        assert_memory_equal(block, expected, (size_t)n);
        offset += (uint64_t)n;
    }
    assert_true(n == 0 && offset == 300 * BLOCK + 17);
    assert_int_equal(intake_verify(&in, &e), 0);
    intake_done(&in);
    close(fd);
}

/* A pread of 1 TiB would take minutes. */
static void a_hole_costs_no_reading(void **state)
{
    int fd = temporary();
    static char block[BLOCK];
    struct intake in;
    struct err e;

    (void)state;
    assert_int_equal(ftruncate(fd, 1ll << 40), 0);
    assert_int_equal(intake_init(&in, &(struct intake_config){fd, "m", "x.core", BLOCK, INTAKE_FILE, 0}, &e), 0);
    assert_int_equal(intake_read_head(&in, &e), 0);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_true(in.hole_from == 0 && in.data_from == 1ull << 40);
    intake_done(&in);
    close(fd);
}

static void a_growing_file_is_given_out_block_by_block(void **state)
{
    int fd = temporary();
    size_t size = write_dump(fd, 10000, 10000);
    struct intake in;
    struct err e;
    char block[BLOCK], why[200];

    (void)state;
    begin(&in, fd, INTAKE_GROWING);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(intake_read(&in, block, &e), -EAGAIN);
    assert_int_equal(intake_complete(&in, &e), 0);
    assert_int_equal(read_all(&in), size - 2 * BLOCK);
    assert_int_equal(recheck_result(&in.recheck, true, &e), 1);
    assert_int_equal(intake_verify(&in, &e), 0);
    assert_null(intake_partial(&in, why, sizeof(why)));
    intake_done(&in);
    close(fd);
}

static void a_writer_that_goes_back_is_noticed(void **state)
{
    int fd = temporary();
    struct intake in;
    struct err e;
    char block[BLOCK];

    (void)state;
    write_dump(fd, 10000, 10000);
    begin(&in, fd, INTAKE_GROWING);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(pwrite(fd, "x", 1, 100), 1);
    assert_int_equal(intake_complete(&in, &e), 0);
    assert_int_equal(recheck_result(&in.recheck, true, &e), -FAULT_CHANGED);
    intake_done(&in);
    close(fd);
}

static void a_dump_with_lengths_to_come_is_not_followed_further(void **state)
{
    int fd = temporary();
    struct intake in;
    struct err e;
    char block[BLOCK];

    (void)state;
    write_dump(fd, 10000, 0); /* as JDK 11 and older leave it until the segment ends */
    begin(&in, fd, INTAKE_GROWING);
    assert_int_equal(intake_read(&in, block, &e), -EAGAIN);
    assert_int_equal(in.offset, 0);
    intake_done(&in);
    close(fd);
}

static void changes_while_reading_are_noticed(void **state)
{
    int fd = temporary();
    struct intake in;
    struct err e;
    char block[BLOCK];

    (void)state;
    write_dump(fd, 10000, 10000);
    begin(&in, fd, INTAKE_FILE);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(ftruncate(fd, 5000), 0);
    assert_int_equal(intake_read(&in, block, &e), -FAULT_CHANGED);
    intake_done(&in);
    begin(&in, fd, INTAKE_FILE);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(ftruncate(fd, 50000), 0);
    assert_int_equal(intake_read(&in, block, &e), -FAULT_CHANGED);
    intake_done(&in);
    close(fd);
}

struct stream {
    int in, out;
    struct intake intake;
    char block[BLOCK];
};

/* Nothing has been looked at yet. */
static void open_stream(struct stream *s, const char *name)
{
    struct err e;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    s->in = ends[0];
    s->out = ends[1];
    assert_int_equal(intake_init(&s->intake, &(struct intake_config){s->in, "m", name, BLOCK, INTAKE_STREAM, 0}, &e),
                     0);
}

static void say(struct stream *s, const void *data, size_t size)
{
    assert_int_equal(file_write(s->out, data, size), 0);
}

static void hang_up(struct stream *s)
{
    close(s->out);
}

static void close_stream(struct stream *s)
{
    intake_done(&s->intake);
    close(s->in);
}

static ssize_t read_block(struct stream *s)
{
    struct err e;

    return intake_read(&s->intake, s->block, &e);
}

/* The bytes of a whole dump. */
static unsigned char *make_dump(size_t *ret_size)
{
    int fd = temporary();
    unsigned char *bytes;

    *ret_size = write_dump(fd, 10000, 10000);
    bytes = malloc(*ret_size);
    assert_int_equal(file_pread(fd, bytes, *ret_size, 0), *ret_size);
    close(fd);
    return bytes;
}

static void short_reads_of_a_stream_become_whole_blocks(void **state)
{
    struct stream s;
    struct digest expected;
    struct err e;
    char a[DIGEST_HEX_MAX], b[DIGEST_HEX_MAX], why[200];
    unsigned char *dump, *got;
    size_t size, have = 0;

    (void)state;
    dump = make_dump(&size);
    got = malloc(size);
    open_stream(&s, "x.hprof");
    for (size_t at = 0; at < size; at += 7) {
        ssize_t n;

        say(&s, dump + at, size - at < 7 ? size - at : 7);
        if (s.intake.head_size < INTAKE_HEAD_MAX && intake_read_head(&s.intake, &e) < 0)
            continue;
        n = read_block(&s);
        assert_true(n == -EAGAIN || n == BLOCK);
        if (n > 0)
            memcpy(got + have, s.block, BLOCK);
        have += n > 0 ? BLOCK : 0;
    }
    hang_up(&s);
    assert_int_equal(have, size / BLOCK * BLOCK);
    assert_int_equal(read_block(&s), size % BLOCK);
    memcpy(got + have, s.block, size % BLOCK);
    assert_int_equal(read_block(&s), 0);
    assert_int_equal(read_block(&s), 0);
    assert_memory_equal(got, dump, size);
    assert_int_equal(intake_verify(&s.intake, &e), 0);
    assert_null(intake_partial(&s.intake, why, sizeof(why)));
    assert_int_equal(s.intake.identity.size, size);
    digest_init(&expected);
    digest_update(&expected, dump, size);
    digest_hex(&expected, a);
    digest_hex(&s.intake.digest, b);
    assert_string_equal(a, b);
    close_stream(&s);
    free(got);
    free(dump);
}

static void a_stream_that_ends_with_a_block_has_no_more(void **state)
{
    struct stream s;
    struct err e;
    char data[2 * BLOCK];

    (void)state;
    memset(data, 'x', sizeof(data));
    open_stream(&s, "x.bin");
    say(&s, data, sizeof(data));
    hang_up(&s);
    assert_int_equal(intake_read_head(&s.intake, &e), 0);
    assert_int_equal(read_block(&s), BLOCK);
    assert_int_equal(read_block(&s), BLOCK);
    assert_int_equal(read_block(&s), 0);
    close_stream(&s);
}

static void an_empty_stream_ends_at_once(void **state)
{
    struct stream s;
    struct err e;
    char why[200];

    (void)state;
    open_stream(&s, "x.hprof");
    assert_int_equal(intake_read_head(&s.intake, &e), -EAGAIN);
    hang_up(&s);
    assert_int_equal(intake_read_head(&s.intake, &e), 0);
    assert_int_equal(s.intake.head_size, 0);
    assert_int_equal(read_block(&s), 0);
    assert_non_null(intake_partial(&s.intake, why, sizeof(why)));
    close_stream(&s);
}

static void a_stream_shorter_than_a_head_is_whole(void **state)
{
    struct stream s;
    struct err e;

    (void)state;
    open_stream(&s, "x.bin");
    say(&s, "abc", 3);
    assert_int_equal(intake_read_head(&s.intake, &e), -EAGAIN);
    hang_up(&s);
    assert_int_equal(intake_read_head(&s.intake, &e), 0);
    assert_int_equal(read_block(&s), 3);
    assert_memory_equal(s.block, "abc", 3);
    assert_int_equal(read_block(&s), 0);
    close_stream(&s);
}

static void a_dump_is_known_by_its_head_and_cut_off_is_partial(void **state)
{
    struct stream s;
    struct err e;
    char why[200];
    unsigned char *dump;
    size_t size;

    (void)state;
    dump = make_dump(&size);
    open_stream(&s, "whatever");
    say(&s, dump, size - 20);
    hang_up(&s);
    assert_int_equal(intake_read_head(&s.intake, &e), 0);
    assert_true(s.intake.is_hprof);
    while (read_block(&s) > 0)
        ;
    assert_non_null(intake_partial(&s.intake, why, sizeof(why)));
    assert_non_null(strstr(why, "ends inside a record"));
    close_stream(&s);
    free(dump);
}

static void a_fifo_that_nobody_has_opened_for_writing_has_not_ended(void **state)
{
    char folder[] = "/tmp/intake_test.XXXXXX";
    struct stream s;
    struct err e;
    int at;

    (void)state;
    assert_non_null(mkdtemp(folder));
    at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkfifoat(at, "fifo", 0600), 0);
    s.in = openat(at, "fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(intake_init(&s.intake, &(struct intake_config){s.in, "m", "x.bin", BLOCK, INTAKE_STREAM, 0}, &e),
                     0);
    assert_int_equal(intake_read_head(&s.intake, &e), -EAGAIN);
    s.out = openat(at, "fifo", O_WRONLY | O_CLOEXEC);
    assert_int_equal(intake_read_head(&s.intake, &e), -EAGAIN);
    say(&s, "late", 4);
    hang_up(&s);
    assert_int_equal(intake_read_head(&s.intake, &e), 0);
    assert_int_equal(read_block(&s), 4);
    assert_int_equal(read_block(&s), 0);
    close_stream(&s);
    close(at);
    assert_int_equal(file_remove_tree(AT_FDCWD, folder), 0);
}

static void a_stream_that_cannot_be_read_says_so(void **state)
{
    struct intake in;
    struct err e;
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_int_equal(intake_init(&in, &(struct intake_config){fd, "m", "x.bin", BLOCK, INTAKE_STREAM, 0}, &e), 0);
    assert_int_equal(intake_read_head(&in, &e), -EISDIR);
    assert_non_null(strstr(e.msg, "x.bin"));
    intake_done(&in);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_dump_is_whole),
        cmocka_unit_test(a_resume_ends_with_the_same_digest_and_verdict),
        cmocka_unit_test(a_sparse_file_is_its_bytes),
        cmocka_unit_test(a_hole_costs_no_reading),
        cmocka_unit_test(a_growing_file_is_given_out_block_by_block),
        cmocka_unit_test(a_writer_that_goes_back_is_noticed),
        cmocka_unit_test(a_dump_with_lengths_to_come_is_not_followed_further),
        cmocka_unit_test(changes_while_reading_are_noticed),
        cmocka_unit_test(short_reads_of_a_stream_become_whole_blocks),
        cmocka_unit_test(a_stream_that_ends_with_a_block_has_no_more),
        cmocka_unit_test(an_empty_stream_ends_at_once),
        cmocka_unit_test(a_stream_shorter_than_a_head_is_whole),
        cmocka_unit_test(a_dump_is_known_by_its_head_and_cut_off_is_partial),
        cmocka_unit_test(a_fifo_that_nobody_has_opened_for_writing_has_not_ended),
        cmocka_unit_test(a_stream_that_cannot_be_read_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
