/* SPDX-License-Identifier: Apache-2.0
 *
 * What is encoded comes back, in whatever pieces it is read; what is cut off or damaged never passes for whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/codec.h"
#include "codec/seektable.h"

enum { BLOCK = 64 * 1024 };

static const struct codec_ops *const ALL[] = {&CODEC_NONE, &CODEC_ZSTD, &CODEC_GZIP};
static const struct codec_ops *const REAL[] = {&CODEC_ZSTD, &CODEC_GZIP};

/* Text that compresses, or noise that does not; the same in every run. */
static unsigned char *make(size_t size, bool noise)
{
    unsigned char *data = malloc(size + 1);
    uint32_t x = 12345;

    assert_non_null(data);
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = noise ? (unsigned char)(x >> 24) : (unsigned char)"evidence"[(x >> 28) & 7];
    }
    return data;
}

struct stream {
    unsigned char *data;
    size_t size;
};

static void stream_done(struct stream *s)
{
    free(s->data);
}

static void stream_add(struct stream *s, const void *data, size_t size)
{
    s->data = realloc(s->data, s->size + size + 1);
    assert_non_null(s->data);
    if (size > 0)
        memcpy(s->data + s->size, data, size);
    s->size += size;
}

static void stream_encode(struct stream *s, const struct codec_ops *ops, int level, const void *data, size_t size)
{
    size_t room = ops->bound(size);
    CLEANUP_FREE void *out = malloc(room + 1);
    void *encoder = NULL;
    ssize_t n;

    assert_int_equal(ops->encoder_new(level, BLOCK, &encoder), 0);
    n = ops->encode(encoder, data, size, out, room);
    ops->encoder_free(encoder);
    assert_in_range(n, 0, room);
    stream_add(s, out, (size_t)n);
}

/* Reads `in` in pieces of in_size into pieces of out_size. 0, or the decoder's error. */
static int decode_all(const struct codec_ops *ops, const struct stream *in, size_t in_size, size_t out_size,
                      struct stream *ret)
{
    CLEANUP_FREE void *out = malloc(out_size);
    void *decoder = NULL;
    ssize_t n = 0;
    int r;

    assert_int_equal(ops->decoder_new(&decoder), 0);
    for (size_t at = 0; at < in->size && n >= 0;) {
        size_t size = in->size - at < in_size ? in->size - at : in_size, left = size;
        CLEANUP_FREE void *piece = malloc(size); /* exactly as large: a read too far is caught */
        const void *data = piece;

        memcpy(piece, in->data + at, size);
        while ((n = ops->decode(decoder, &data, &left, out, out_size)) > 0)
            stream_add(ret, out, (size_t)n);
        assert_true((const unsigned char *)data == (const unsigned char *)piece + size - left);
        if (n == 0)
            assert_int_equal(left, 0);
        at += size;
    }
    r = n < 0 ? (int)n : ops->decoder_end(decoder);
    ops->decoder_free(decoder);
    return r;
}

static void expect(const struct codec_ops *ops, const struct stream *in, size_t in_size, size_t out_size,
                   const void *data, size_t size)
{
    CLEANUP(stream_done) struct stream out = {0};

    assert_int_equal(decode_all(ops, in, in_size, out_size, &out), 0);
    assert_int_equal(out.size, size);
    if (size > 0)
        assert_memory_equal(out.data, data, size);
}

static void expect_refused(const struct codec_ops *ops, const struct stream *in)
{
    CLEANUP(stream_done) struct stream out = {0};

    assert_int_equal(decode_all(ops, in, in->size, 1000, &out), -EBADMSG);
}

static void names_and_levels_are_read(void **state)
{
    static const struct {
        const char *text;
        const struct codec_ops *ops;
        int level;
        const char *again;
    } good[] = {
        {"zstd", &CODEC_ZSTD, 1, "zstd:1"},      {"zstd:3", &CODEC_ZSTD, 3, "zstd:3"},
        {"zstd:19", &CODEC_ZSTD, 19, "zstd:19"}, {"gzip", &CODEC_GZIP, 6, "gzip:6"},
        {"gzip:1", &CODEC_GZIP, 1, "gzip:1"},    {"gzip:9", &CODEC_GZIP, 9, "gzip:9"},
        {"none", &CODEC_NONE, 0, "none"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct codec c = {0};
        char out[32];

        assert_int_equal(codec_parse(good[i].text, &c, NULL), 0);
        assert_ptr_equal(c.ops, good[i].ops);
        assert_int_equal(c.level, good[i].level);
        assert_string_equal(codec_format(&c, out), good[i].again);
    }
}

static void other_names_and_levels_are_refused_with_a_reason(void **state)
{
    static const struct {
        const char *text, *reason;
    } bad[] = {
        {"", "zstd[:LEVEL], gzip[:LEVEL] or none"},
        {"lzma", "'lzma': zstd[:LEVEL], gzip[:LEVEL] or none"},
        {"ZSTD", "unknown"},
        {"zst", "unknown"},
        {"zstdx", "unknown"},
        {":1", "unknown"},
        {"zstd:", "zstd are 1 to 19"},
        {"zstd:0", "zstd are 1 to 19"},
        {"zstd:20", "zstd are 1 to 19"},
        {"zstd:-1", "zstd are 1 to 19"},
        {"zstd:1 ", "zstd are 1 to 19"},
        {"zstd:1:2", "zstd are 1 to 19"},
        {"zstd:18446744073709551617", "zstd are 1 to 19"},
        {"gzip:10", "gzip are 1 to 9"},
        {"none:1", "none has no levels"},
        {"none:", "none has no levels"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct codec c = {.ops = NULL, .level = 77};
        struct err e = {0};

        assert_int_equal(codec_parse(bad[i].text, &c, &e), -FAULT_USAGE);
        if (!strstr(e.msg, bad[i].reason))
            fail_msg("'%s': %s", bad[i].text, e.msg);
        assert_null(c.ops);
        assert_int_equal(c.level, 77);
    }
}

static void every_size_comes_back_at_every_level(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 100, 4095, BLOCK - 1, BLOCK};

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(ALL); c++)
        for (int level = ALL[c]->level_min; level <= ALL[c]->level_max; level++)
            for (size_t i = 0; i < ARRAY_SIZE(sizes) * 2; i++) {
                CLEANUP(stream_done) struct stream in = {0};
                CLEANUP_FREE unsigned char *data = make(sizes[i / 2], i % 2);

                stream_encode(&in, ALL[c], level, data, sizes[i / 2]);
                expect(ALL[c], &in, SIZE_MAX, BLOCK * 2, data, sizes[i / 2]);
            }
}

static void an_encoder_is_used_again_and_makes_the_same(void **state)
{
    CLEANUP_FREE unsigned char *data = make(BLOCK, false), *other = make(1000, true);

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(ALL); c++) {
        size_t room = ALL[c]->bound(BLOCK);
        CLEANUP_FREE unsigned char *first = malloc(room), *second = malloc(room);
        void *encoder = NULL;
        ssize_t n;

        assert_int_equal(ALL[c]->encoder_new(ALL[c]->level_default, BLOCK, &encoder), 0);
        n = ALL[c]->encode(encoder, data, BLOCK, first, room);
        assert_true(n > 0);
        assert_true(ALL[c]->encode(encoder, other, 1000, second, room) > 0);
        assert_int_equal(ALL[c]->encode(encoder, data, BLOCK, second, room), n);
        assert_memory_equal(first, second, (size_t)n);
        ALL[c]->encoder_free(encoder);
    }
}

static void too_little_room_is_an_error_and_not_the_end(void **state)
{
    CLEANUP_FREE unsigned char *noise = make(BLOCK, true);

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(ALL); c++) {
        size_t room = ALL[c]->bound(BLOCK);
        CLEANUP_FREE void *small = malloc(BLOCK / 2), *out = malloc(room);
        void *encoder = NULL;

        assert_int_equal(ALL[c]->encoder_new(ALL[c]->level_default, BLOCK, &encoder), 0);
        assert_int_equal(ALL[c]->encode(encoder, noise, BLOCK, small, BLOCK / 2), -EIO);
        assert_true(ALL[c]->encode(encoder, noise, BLOCK, out, room) > 0);
        ALL[c]->encoder_free(encoder);
    }
}

/* Three frames, one of them empty. */
static size_t three_frames(const struct codec_ops *ops, struct stream *in, unsigned char *data)
{
    stream_encode(in, ops, ops->level_default, data, 3000);
    stream_encode(in, ops, ops->level_default, data, 0);
    stream_encode(in, ops, ops->level_default, data + 3000, 500);
    return 3500;
}

static void frames_in_a_row_are_one_stream_in_any_pieces(void **state)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64, 1000, 100000};
    CLEANUP_FREE unsigned char *data = make(3500, false);

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(ALL); c++) {
        CLEANUP(stream_done) struct stream in = {0};
        size_t size = three_frames(ALL[c], &in, data);

        for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
            for (size_t k = 0; k < ARRAY_SIZE(pieces); k++)
                expect(ALL[c], &in, pieces[i], pieces[k], data, size);
    }
}

static void asking_without_input_is_harmless(void **state)
{
    CLEANUP_FREE unsigned char *data = make(3500, false);

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(ALL); c++) {
        CLEANUP(stream_done) struct stream in = {0}, out = {0};
        unsigned char room[4000];
        const void *at = NULL;
        void *decoder = NULL;
        size_t left = 0;

        three_frames(ALL[c], &in, data);
        assert_int_equal(ALL[c]->decoder_new(&decoder), 0);
        for (size_t i = 0; i <= in.size; i++) {
            for (int again = 0; again < 40; again++)
                assert_int_equal(ALL[c]->decode(decoder, &at, &left, room, sizeof(room)), 0);
            if (i < in.size) {
                ssize_t n;

                at = in.data + i;
                left = 1;
                n = ALL[c]->decode(decoder, &at, &left, room, sizeof(room));
                assert_in_range(n, 0, sizeof(room));
                stream_add(&out, room, (size_t)n);
            }
        }
        assert_int_equal(ALL[c]->decoder_end(decoder), 0);
        assert_int_equal(out.size, 3500);
        assert_memory_equal(out.data, data, 3500);
        ALL[c]->decoder_free(decoder);
    }
}

static void nothing_at_all_is_an_empty_stream(void **state)
{
    const struct stream nothing = {0};

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(ALL); c++)
        expect(ALL[c], &nothing, 1, 1, NULL, 0);
}

static void the_end_may_come_only_between_frames(void **state)
{
    CLEANUP_FREE unsigned char *data = make(2000, false);

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(REAL); c++) {
        CLEANUP(stream_done) struct stream in = {0};
        size_t first;

        stream_encode(&in, REAL[c], REAL[c]->level_default, data, 1500);
        first = in.size;
        stream_encode(&in, REAL[c], REAL[c]->level_default, data + 1500, 500);
        for (size_t size = 1; size < in.size; size++) {
            struct stream cut = {.data = in.data, .size = size};

            if (size == first)
                expect(REAL[c], &cut, SIZE_MAX, 4000, data, 1500);
            else
                expect_refused(REAL[c], &cut);
        }
    }
}

static int flip_and_decode(const struct codec_ops *ops, struct stream *in, size_t at, unsigned bit, struct stream *ret)
{
    int r;

    in->data[at] ^= (unsigned char)(1U << bit);
    r = decode_all(ops, in, SIZE_MAX, 4000, ret);
    in->data[at] ^= (unsigned char)(1U << bit);
    return r;
}

/* Some bits mean nothing (gzip's time, unused codes): flipping those may pass, but not with other bytes. */
static void damage_never_passes_with_other_bytes(void **state)
{
    static const size_t trailer[] = {4, 8}; /* zstd: a checksum; gzip: a checksum and the size */
    CLEANUP_FREE unsigned char *data = make(2000, false);

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(REAL); c++) {
        CLEANUP(stream_done) struct stream in = {0};

        stream_encode(&in, REAL[c], REAL[c]->level_default, data, 2000);
        for (size_t i = 0; i < in.size * 8; i++) {
            CLEANUP(stream_done) struct stream out = {0};
            int r = flip_and_decode(REAL[c], &in, i / 8, i % 8, &out);

            if (r == 0 && (out.size != 2000 || memcmp(out.data, data, 2000) != 0))
                fail_msg("%s: bit %zu of byte %zu flipped, and not seen", REAL[c]->name, i % 8, i / 8);
            if (r == 0 && i / 8 >= in.size - trailer[c])
                fail_msg("%s: a wrong checksum is taken", REAL[c]->name);
        }
        expect(REAL[c], &in, SIZE_MAX, 4000, data, 2000);
    }
}

static void garbage_is_no_stream(void **state)
{
    static const unsigned char garbage[] = "JAVA PROFILE 1.0.2";
    CLEANUP_FREE unsigned char *data = make(100, false);

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(REAL); c++) {
        CLEANUP(stream_done) struct stream first = {0}, behind = {0};

        stream_add(&first, garbage, sizeof(garbage));
        expect_refused(REAL[c], &first);
        stream_encode(&behind, REAL[c], REAL[c]->level_default, data, 100);
        stream_add(&behind, garbage, sizeof(garbage));
        expect_refused(REAL[c], &behind);
    }
}

static void zstd_frames_tell_their_size_and_carry_a_checksum(void **state)
{
    CLEANUP(stream_done) struct stream in = {0};
    CLEANUP_FREE unsigned char *data = make(BLOCK, false);

    (void)state;
    stream_encode(&in, &CODEC_ZSTD, 1, data, BLOCK);
    /* RFC 8878, 3.1.1.1.1: the descriptor has a size of 2 bytes (less 256), single segment, and a checksum */
    assert_memory_equal(in.data, "\x28\xb5\x2f\xfd\x64\x00\xff", 7);
}

static void zstd_seek_table_at_the_end_is_skipped(void **state)
{
    CLEANUP(stream_done) struct stream in = {0};
    CLEANUP(frames_done) struct frames frames = {0};
    CLEANUP_FREE unsigned char *data = make(5000, false), *table = NULL;
    size_t first;

    (void)state;
    stream_encode(&in, &CODEC_ZSTD, 1, data, 4000);
    first = in.size;
    stream_encode(&in, &CODEC_ZSTD, 1, data + 4000, 1000);
    assert_int_equal(frames_add(&frames, (uint32_t)first, 4000), 0);
    assert_int_equal(frames_add(&frames, (uint32_t)(in.size - first), 1000), 0);
    table = malloc(seektable_size(&frames));
    seektable_encode(&frames, table);
    stream_add(&in, table, seektable_size(&frames));
    expect(&CODEC_ZSTD, &in, SIZE_MAX, 10000, data, 5000);
    expect(&CODEC_ZSTD, &in, 1, 1, data, 5000);
    stream_encode(&in, &CODEC_ZSTD, 1, data, 0); /* what comes behind is read */
    expect(&CODEC_ZSTD, &in, SIZE_MAX, 10000, data, 5000);
    in.size--;
    expect_refused(&CODEC_ZSTD, &in);
}

static void zstd_table_alone_is_an_empty_stream_and_may_not_be_cut(void **state)
{
    CLEANUP(stream_done) struct stream in = {0};

    (void)state;
    stream_add(&in, "\x5e\x2a\x4d\x18\x09\0\0\0\0\0\0\0\0\xb1\xea\x92\x8f", 17);
    expect(&CODEC_ZSTD, &in, 1, 10, NULL, 0);
    in.size--;
    expect_refused(&CODEC_ZSTD, &in);
}

static void zstd_window_beyond_128_mib_is_refused(void **state)
{
    /* RFC 8878, 3.1.1.1.2: a window descriptor of 2^(10 + exponent); then an empty last block */
    unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00};
    CLEANUP(stream_done) struct stream most = {0}, more = {0};

    (void)state;
    stream_add(&most, frame, sizeof(frame));
    expect(&CODEC_ZSTD, &most, SIZE_MAX, 10, NULL, 0);
    frame[5] = 18 << 3;
    stream_add(&more, frame, sizeof(frame));
    expect_refused(&CODEC_ZSTD, &more);
}

static void gzip_head_has_neither_name_nor_time(void **state)
{
    CLEANUP(stream_done) struct stream in = {0};

    (void)state;
    stream_encode(&in, &CODEC_GZIP, 6, "x", 1);
    assert_memory_equal(in.data, "\x1f\x8b\x08\0\0\0\0\0", 8);
}

static void gzip_zero_padding_at_the_end_is_no_matter(void **state)
{
    static const unsigned char zeros[1000];
    CLEANUP(stream_done) struct stream in = {0};
    CLEANUP_FREE unsigned char *data = make(3500, false);

    (void)state;
    three_frames(&CODEC_GZIP, &in, data);
    stream_add(&in, zeros, sizeof(zeros));
    expect(&CODEC_GZIP, &in, SIZE_MAX, 10000, data, 3500);
    expect(&CODEC_GZIP, &in, 1, 1, data, 3500);
    stream_encode(&in, &CODEC_GZIP, 6, data, 100); /* but nothing may follow it */
    expect_refused(&CODEC_GZIP, &in);
}

static void gzip_zeros_alone_are_no_stream(void **state)
{
    CLEANUP(stream_done) struct stream in = {0};

    (void)state;
    stream_add(&in, "\0\0\0\0", 4);
    expect_refused(&CODEC_GZIP, &in);
}

static void compressed_data_is_known_by_its_first_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool compressed;
    } heads[] = {
        {"\x1f\x8b\x08\0\0\0\0\0\0\xff", 10, true},
        {"\x28\xb5\x2f\xfd\x04", 5, true},
        {"\xfd\x37\x7a\x58\x5a\x00\x00\x04", 8, true},
        {"BZh91AY&SY", 10, true},
        {"PK\x03\x04\x14\0", 6, true},
        {"\x1f\x8b", 2, false},
        {"\x1f\x8b\x07", 3, false},
        {"\x28\xb5\x2f", 3, false},
        {"BZh is a nice name", 18, false},
        {"BZh01AY&SY", 10, false},
        {"BZh91AY&S", 9, false},
        {"PK", 2, false},
        {"JAVA PROFILE 1.0.2", 19, false},
        {"\x7f"
         "ELF\x02\x01\x01",
         7, false},
        {"FLR\0\0\2", 6, false},
        {"", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        CLEANUP_FREE void *copy = malloc(heads[i].size + 1);
        void *exact = (char *)copy + 1; /* ends where the allocation does */

        memcpy(exact, heads[i].bytes, heads[i].size);
        if (codec_is_compressed(exact, heads[i].size) != heads[i].compressed)
            fail_msg("row %zu", i);
    }
}

static void what_is_encoded_is_known_as_compressed(void **state)
{
    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(REAL); c++) {
        CLEANUP(stream_done) struct stream in = {0};

        stream_encode(&in, REAL[c], REAL[c]->level_default, "x", 1);
        assert_true(codec_is_compressed(in.data, in.size));
    }
}

static void memory_is_told_beforehand(void **state)
{
    (void)state;
    assert_int_equal(CODEC_NONE.encoder_memory(0, BLOCK), 0);
    assert_in_range(CODEC_GZIP.encoder_memory(6, BLOCK), 256 * 1024, 300 * 1024);
    assert_in_range(CODEC_ZSTD.encoder_memory(1, 512 * 1024), 200 * 1024, 2 * 1024 * 1024);
    assert_in_range(CODEC_ZSTD.encoder_memory(19, 512 * 1024), 4 * 1024 * 1024, 16 * 1024 * 1024);
}

static void frees_take_nothing(void **state)
{
    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(ALL); c++) {
        ALL[c]->encoder_free(NULL);
        ALL[c]->decoder_free(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_levels_are_read),
        cmocka_unit_test(other_names_and_levels_are_refused_with_a_reason),
        cmocka_unit_test(every_size_comes_back_at_every_level),
        cmocka_unit_test(an_encoder_is_used_again_and_makes_the_same),
        cmocka_unit_test(too_little_room_is_an_error_and_not_the_end),
        cmocka_unit_test(frames_in_a_row_are_one_stream_in_any_pieces),
        cmocka_unit_test(asking_without_input_is_harmless),
        cmocka_unit_test(nothing_at_all_is_an_empty_stream),
        cmocka_unit_test(the_end_may_come_only_between_frames),
        cmocka_unit_test(damage_never_passes_with_other_bytes),
        cmocka_unit_test(garbage_is_no_stream),
        cmocka_unit_test(zstd_frames_tell_their_size_and_carry_a_checksum),
        cmocka_unit_test(zstd_seek_table_at_the_end_is_skipped),
        cmocka_unit_test(zstd_table_alone_is_an_empty_stream_and_may_not_be_cut),
        cmocka_unit_test(zstd_window_beyond_128_mib_is_refused),
        cmocka_unit_test(gzip_head_has_neither_name_nor_time),
        cmocka_unit_test(gzip_zero_padding_at_the_end_is_no_matter),
        cmocka_unit_test(gzip_zeros_alone_are_no_stream),
        cmocka_unit_test(compressed_data_is_known_by_its_first_bytes),
        cmocka_unit_test(what_is_encoded_is_known_as_compressed),
        cmocka_unit_test(memory_is_told_beforehand),
        cmocka_unit_test(frees_take_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
