/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain bytes of objects: any range of them, with and without a table; and any flipped byte is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "serve/plain_reader.h"

enum { BLOCK = 1000, SIZE = 10 * BLOCK + 7, FRAME_MAX = 4 * BLOCK, AT_FIVE = 5 * BLOCK };

static unsigned char plain[SIZE];

static int file_with(const void *data, size_t size)
{
    int fd = memfd_create("object", MFD_CLOEXEC);

    assert_true(fd >= 0 && file_write(fd, data, size) == 0);
    return fd;
}

/* Frames of BLOCK bytes, and the table if it is wanted. */
static void store(const struct codec_ops *ops, bool table, struct buf *ret)
{
    struct frames frames = {0};
    char frame[FRAME_MAX], encoded[1024];
    void *encoder;
    uint32_t random = 3;

    for (size_t i = 0; i < SIZE; i++)
        plain[i] = (unsigned char)((random = random * 1664525 + 1013904223) >> 30) * (unsigned char)(i / 3);
    assert_int_equal(ops->encoder_new(ops->level_default, BLOCK, &encoder), 0);
    for (size_t at = 0; at < SIZE; at += BLOCK) {
        size_t raw = SIZE - at < BLOCK ? SIZE - at : BLOCK;
        ssize_t n = ops->encode(encoder, plain + at, raw, frame, sizeof(frame));

        assert_true(n > 0 && buf_add(ret, frame, (size_t)n) == 0 &&
                    frames_add(&frames, (uint32_t)n, (uint32_t)raw) == 0);
    }
    ops->encoder_free(encoder);
    if (table) {
        seektable_encode(&frames, encoded);
        assert_int_equal(buf_add(ret, encoded, seektable_size(&frames)), 0);
    }
    frames_done(&frames);
}

/* Bytes read, or the failure. */
static ssize_t read_range(const struct buf *stored, uint64_t first, uint64_t size, bool ends, unsigned char *out)
{
    CLEANUP_FD int fd = file_with(stored->data, stored->size);
    struct plain_reader *p;
    ssize_t n, done = 0;
    int r;

    assert_int_equal(plain_reader_new(fd, stored->size, &p), 0);
    r = plain_reader_seek(p, first, size, ends);
    while (r == 0 &&
           (n = plain_reader_read(p, out + done, 333 < SIZE - (size_t)done ? 333 : SIZE - (size_t)done)) != 0) {
        if (n < 0)
            r = (int)n;
        else
            done += n;
    }
    plain_reader_free(p);
    return r < 0 ? r : done;
}

static void assert_ranges(const struct codec_ops *ops, bool table)
{
    CLEANUP(buf_done) struct buf stored = {0};
    unsigned char out[SIZE + 1];
    static const size_t FIRSTS[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, AT_FIVE, SIZE - 7, SIZE - 1};

    store(ops, table, &stored);
    for (size_t i = 0; i < ARRAY_SIZE(FIRSTS); i++)
        for (size_t size = 1; size <= SIZE - FIRSTS[i]; size = size * 3 + 1) {
            bool ends = FIRSTS[i] + size == SIZE;

            assert_int_equal(read_range(&stored, FIRSTS[i], size, ends, out), size);
            assert_memory_equal(out, plain + FIRSTS[i], size);
        }
    assert_int_equal(read_range(&stored, 0, UINT64_MAX, false, out), SIZE);
    assert_int_equal(read_range(&stored, 0, SIZE, true, out), SIZE);
    assert_int_equal(read_range(&stored, 0, SIZE - 1, true, out), -EBADMSG); /* more is there than was promised */
    assert_int_equal(read_range(&stored, 1, SIZE, true, out), -EBADMSG);     /* less */
}

static void ranges_with_a_table(void **state)
{
    (void)state;
    assert_ranges(&CODEC_ZSTD, true);
}

static void ranges_without_a_table(void **state)
{
    (void)state;
    assert_ranges(&CODEC_ZSTD, false);
    assert_ranges(&CODEC_GZIP, false);
}

static void every_flipped_byte_is_noticed(void **state)
{
    CLEANUP(buf_done) struct buf stored = {0};
    unsigned char out[SIZE];

    (void)state;
    store(&CODEC_ZSTD, true, &stored);
    for (size_t i = 8; i < stored.size; i += 3) {
        ssize_t n;

        stored.data[i] ^= 4;
        n = read_range(&stored, 0, SIZE, true, out);
        if (n != -EBADMSG && (n != SIZE || memcmp(out, plain, SIZE) != 0))
            fail_msg("byte %zu: %zd", i, n);
        stored.data[i] ^= 4;
    }
}

static void a_table_that_does_not_fit_is_none(void **state)
{
    CLEANUP(buf_done) struct buf stored = {0};
    struct plain_reader *p;
    uint64_t size = 0;

    (void)state;
    store(&CODEC_ZSTD, true, &stored);
    for (int more = 0; more < 2; more++) {
        CLEANUP_FD int fd = file_with(stored.data, stored.size);

        assert_int_equal(plain_reader_new(fd, stored.size, &p), 0);
        assert_int_equal(plain_reader_seeks(p, &size), !more);
        plain_reader_free(p);
        stored.data[stored.size - SEEKTABLE_FOOTER_SIZE - 8]++; /* the last frame's stored size */
    }
    assert_int_equal(size, SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_with_a_table),
        cmocka_unit_test(ranges_without_a_table),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(a_table_that_does_not_fit_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
