/* SPDX-License-Identifier: Apache-2.0
 *
 * Compressed files by offsets, forward and back, whole and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/codec.h"
#include "codec/packed_reader.h"

enum { SIZE = 1000 * 1000 };

struct file {
    unsigned char *plain, *packed;
    size_t size; /* packed */
};

static ssize_t read_file(void *ctx, void *to, size_t size, uint64_t offset)
{
    const struct file *f = ctx;

    if (offset >= f->size)
        return 0;
    size = size < f->size - offset ? size : (size_t)(f->size - offset);
    memcpy(to, f->packed + offset, size);
    return (ssize_t)size;
}

/* Of several frames. */
static void pack(struct file *f, const struct codec_ops *codec)
{
    size_t room = codec->bound(SIZE / 4) * 4;
    void *encoder;

    f->plain = malloc(SIZE);
    f->packed = malloc(room);
    f->size = 0;
    assert_true(f->plain && f->packed);
    for (size_t i = 0; i < SIZE; i++)
        f->plain[i] = (unsigned char)(i * i >> 7);
    assert_int_equal(codec->encoder_new(1, SIZE / 4, &encoder), 0);
    for (size_t at = 0; at < SIZE; at += SIZE / 4) {
        ssize_t n = codec->encode(encoder, f->plain + at, SIZE / 4, f->packed + f->size, room - f->size);

        assert_true(n > 0);
        f->size += (size_t)n;
    }
    codec->encoder_free(encoder);
}

static void done(struct file *f)
{
    free(f->plain);
    free(f->packed);
}

static void offsets_may_go_forward_and_back(void **state)
{
    static const struct codec_ops *const CODECS[] = {&CODEC_ZSTD, &CODEC_GZIP};
    static const uint64_t OFFSETS[] = {0, 10, 500000, 499999, 999000, 0, 123456, 999999};
    unsigned char piece[5000];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(CODECS); i++) {
        CLEANUP(packed_reader_done) struct packed_reader p;
        struct file f;

        pack(&f, CODECS[i]);
        assert_int_equal(packed_reader_init(&p, read_file, &f), 0);
        for (size_t k = 0; k < ARRAY_SIZE(OFFSETS); k++) {
            size_t wanted = SIZE - OFFSETS[k] < sizeof(piece) ? (size_t)(SIZE - OFFSETS[k]) : sizeof(piece);

            assert_int_equal(packed_reader_at(&p, piece, sizeof(piece), OFFSETS[k]), wanted);
            assert_memory_equal(piece, f.plain + OFFSETS[k], wanted);
        }
        assert_int_equal(packed_reader_at(&p, piece, sizeof(piece), SIZE), 0);
        assert_int_equal(packed_reader_at(&p, piece, sizeof(piece), SIZE + 10), 0);
        done(&f);
    }
}

static void damage_is_said_after_what_was_whole(void **state)
{
    CLEANUP(packed_reader_done) struct packed_reader p;
    unsigned char piece[5000];
    struct file f;
    ssize_t n;

    (void)state;
    pack(&f, &CODEC_ZSTD);
    memset(f.packed + f.size / 2, 0xEE, f.size / 8);
    assert_int_equal(packed_reader_init(&p, read_file, &f), 0);
    while ((n = packed_reader_next(&p, piece, sizeof(piece))) > 0)
        ;
    assert_int_equal(n, -EBADMSG);
    assert_int_equal(packed_reader_next(&p, piece, sizeof(piece)), -EBADMSG);
    assert_true(p.out_at >= SIZE / 4 && p.out_at < SIZE);
    assert_int_equal(packed_reader_at(&p, piece, 100, 0), 100);
    assert_memory_equal(piece, f.plain, 100);
    done(&f);
}

static void what_is_not_compressed_is_refused(void **state)
{
    CLEANUP(packed_reader_done) struct packed_reader p;
    struct file f = {.packed = (unsigned char *)"plain text", .size = 10};
    char piece[10];

    (void)state;
    assert_int_equal(packed_reader_init(&p, read_file, &f), 0);
    assert_int_equal(packed_reader_next(&p, piece, sizeof(piece)), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_may_go_forward_and_back),
        cmocka_unit_test(damage_is_said_after_what_was_whole),
        cmocka_unit_test(what_is_not_compressed_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
