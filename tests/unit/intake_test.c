/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a file once, resuming in it, and following one that grows.
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
#include <unistd.h>

#include "agent/intake.h"
#include "base/file.h"

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
    assert_int_equal(intake_init(&in, fd, "m", "x.hprof", BLOCK, INTAKE_FILE, &e), 0);
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
    assert_int_equal(intake_init(&whole, fd, "m", "x.hprof", BLOCK, INTAKE_FILE, &e), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(intake_read(&whole, block, &e), BLOCK);
    digest_save(&whole.digest, saved);
    read_all(&whole);
    assert_int_equal(intake_init(&resumed, fd, "m", "x.hprof", BLOCK, INTAKE_FILE, &e), 0);
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

static void a_growing_file_is_given_out_block_by_block(void **state)
{
    int fd = temporary();
    size_t size = write_dump(fd, 10000, 10000);
    struct intake in;
    struct err e;
    char block[BLOCK], why[200];

    (void)state;
    assert_int_equal(intake_init(&in, fd, "m", "x.hprof", BLOCK, INTAKE_GROWING, &e), 0);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(intake_read(&in, block, &e), -EAGAIN);
    assert_int_equal(intake_complete(&in, &e), 0);
    assert_int_equal(read_all(&in), size - 2 * BLOCK);
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
    assert_int_equal(intake_init(&in, fd, "m", "x.hprof", BLOCK, INTAKE_GROWING, &e), 0);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(pwrite(fd, "x", 1, 100), 1);
    assert_int_equal(intake_complete(&in, &e), -FAULT_CHANGED);
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
    assert_int_equal(intake_init(&in, fd, "m", "x.hprof", BLOCK, INTAKE_GROWING, &e), 0);
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
    assert_int_equal(intake_init(&in, fd, "m", "x.hprof", BLOCK, INTAKE_FILE, &e), 0);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(ftruncate(fd, 5000), 0);
    assert_int_equal(intake_read(&in, block, &e), -FAULT_CHANGED);
    intake_done(&in);
    assert_int_equal(intake_init(&in, fd, "m", "x.hprof", BLOCK, INTAKE_FILE, &e), 0);
    assert_int_equal(intake_read(&in, block, &e), BLOCK);
    assert_int_equal(ftruncate(fd, 50000), 0);
    assert_int_equal(intake_read(&in, block, &e), -FAULT_CHANGED);
    intake_done(&in);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_dump_is_whole),
        cmocka_unit_test(a_resume_ends_with_the_same_digest_and_verdict),
        cmocka_unit_test(a_growing_file_is_given_out_block_by_block),
        cmocka_unit_test(a_writer_that_goes_back_is_noticed),
        cmocka_unit_test(a_dump_with_lengths_to_come_is_not_followed_further),
        cmocka_unit_test(changes_while_reading_are_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
