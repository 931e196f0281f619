/* SPDX-License-Identifier: Apache-2.0
 *
 * The seek table, byte for byte as the format's document has it, and what a reader must refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "codec/seektable.h"

static const unsigned char TWO_FRAMES[] = {
    0x5E, 0x2A, 0x4D, 0x18, 0x19, 0x00, 0x00, 0x00, /* skippable frame, 25 bytes */
    0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, /* 16 from 1 MiB */
    0xFF, 0xFF, 0xFF, 0xFF, 0x78, 0x56, 0x34, 0x12, /* */
    0x02, 0x00, 0x00, 0x00, 0x00,                   /* two frames, no checksums */
    0xB1, 0xEA, 0x92, 0x8F,
};

static const unsigned char WITH_CHECKSUM[] = {
    0x5E, 0x2A, 0x4D, 0x18, 0x15, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00,
    0x00, 0xDE, 0xAD, 0xBE, 0xEF, 0x01, 0x00, 0x00, 0x00, 0x80, 0xB1, 0xEA, 0x92, 0x8F,
};

static void frames_are_encoded_as_the_format_says(void **state)
{
    CLEANUP(frames_done) struct frames f = {0};
    unsigned char out[sizeof(TWO_FRAMES)];

    (void)state;
    assert_int_equal(frames_add(&f, 16, 1024 * 1024), 0);
    assert_int_equal(frames_add(&f, UINT32_MAX, 0x12345678), 0);
    assert_int_equal(seektable_size(&f), sizeof(out));
    seektable_encode(&f, out);
    assert_memory_equal(out, TWO_FRAMES, sizeof(out));
}

static void a_table_is_read_back(void **state)
{
    CLEANUP(frames_done) struct frames f = {0};

    (void)state;
    assert_int_equal(seektable_decode(TWO_FRAMES, sizeof(TWO_FRAMES), &f), 0);
    assert_int_equal(f.count, 2);
    assert_int_equal(f.frame[0].stored, 16);
    assert_int_equal(f.frame[0].raw, 1024 * 1024);
    assert_int_equal(f.frame[1].stored, UINT32_MAX);
    assert_int_equal(f.frame[1].raw, 0x12345678);
    assert_int_equal(frames_add(&f, 1, 2), 0);
    assert_int_equal(f.frame[2].raw, 2);
}

static void a_table_without_frames_goes_there_and_back(void **state)
{
    CLEANUP(frames_done) struct frames none = {0}, f = {0};
    unsigned char out[17];

    (void)state;
    assert_int_equal(seektable_size(&none), sizeof(out));
    seektable_encode(&none, out);
    assert_int_equal(seektable_decode(out, sizeof(out), &f), 0);
    assert_int_equal(f.count, 0);
}

static void checksums_of_other_tools_are_skipped(void **state)
{
    CLEANUP(frames_done) struct frames f = {0};
    uint64_t size = 0;

    (void)state;
    assert_int_equal(seektable_decode(WITH_CHECKSUM, sizeof(WITH_CHECKSUM), &f), 0);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.frame[0].stored, 16);
    assert_int_equal(f.frame[0].raw, 32);
    assert_int_equal(seektable_peek(WITH_CHECKSUM + sizeof(WITH_CHECKSUM) - SEEKTABLE_FOOTER_SIZE, &size), 0);
    assert_int_equal(size, sizeof(WITH_CHECKSUM));
}

static void the_footer_tells_the_size_of_the_table(void **state)
{
    uint64_t size = 0;

    (void)state;
    assert_int_equal(seektable_peek(TWO_FRAMES + sizeof(TWO_FRAMES) - SEEKTABLE_FOOTER_SIZE, &size), 0);
    assert_int_equal(size, sizeof(TWO_FRAMES));
}

/* Decodes TWO_FRAMES with one byte changed; the result's frames must be untouched. */
static int decode_with(size_t offset, unsigned char byte)
{
    unsigned char bad[sizeof(TWO_FRAMES)];
    struct frames f = {.count = 7};
    int r;

    memcpy(bad, TWO_FRAMES, sizeof(bad));
    bad[offset] = byte;
    r = seektable_decode(bad, sizeof(bad), &f);
    if (r < 0)
        assert_int_equal(f.count, 7);
    else
        frames_done(&f);
    return r;
}

static void a_table_with_anything_wrong_is_refused(void **state)
{
    const size_t footer = sizeof(TWO_FRAMES) - SEEKTABLE_FOOTER_SIZE;

    (void)state;
    assert_int_equal(decode_with(8, 0x11), 0);          /* a size is what it is */
    assert_int_equal(decode_with(footer + 4, 0x03), 0); /* unused bits */
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(decode_with(i, 0x77), -EBADMSG); /* magic, size of the frame */
    assert_int_equal(decode_with(footer, 1), -EBADMSG);
    assert_int_equal(decode_with(footer, 3), -EBADMSG);
    assert_int_equal(decode_with(footer + 3, 0x80), -EBADMSG); /* more frames than the format has */
    assert_int_equal(decode_with(footer + 4, 0x80), -EBADMSG); /* checksums that aren't there */
    assert_int_equal(decode_with(footer + 4, 0x04), -EBADMSG); /* reserved bits */
    assert_int_equal(decode_with(footer + 4, 0x40), -EBADMSG);
    for (size_t i = footer + 5; i < sizeof(TWO_FRAMES); i++)
        assert_int_equal(decode_with(i, 0), -EBADMSG);
}

static void a_table_that_is_too_short_or_too_long_is_refused(void **state)
{
    unsigned char longer[sizeof(TWO_FRAMES) + 8] = {0};
    struct frames f = {.count = 7};

    (void)state;
    for (size_t size = 0; size < sizeof(TWO_FRAMES); size++) {
        assert_int_equal(seektable_decode(TWO_FRAMES, size, &f), -EBADMSG);
        assert_int_equal(seektable_decode(TWO_FRAMES + sizeof(TWO_FRAMES) - size, size, &f), -EBADMSG);
    }
    memcpy(longer + 8, TWO_FRAMES, sizeof(TWO_FRAMES));
    assert_int_equal(seektable_decode(longer, sizeof(longer), &f), -EBADMSG);
    assert_int_equal(f.count, 7);
}

static void a_footer_that_is_none_is_refused(void **state)
{
    unsigned char footer[SEEKTABLE_FOOTER_SIZE] = {0xFF, 0xFF, 0xFF, 0xFF, 0, 0xB1, 0xEA, 0x92, 0x8F};
    uint64_t size = 7;

    (void)state;
    assert_int_equal(seektable_peek(footer, &size), -EBADMSG);
    footer[3] = 0x07;
    assert_int_equal(seektable_peek(footer, &size), 0);
    assert_int_equal(size, 17 + 8 * (uint64_t)0x07FFFFFF);
    footer[8] = 0x8E;
    size = 7;
    assert_int_equal(seektable_peek(footer, &size), -EBADMSG);
    assert_int_equal(size, 7);
}

static void many_frames_are_kept_in_order(void **state)
{
    CLEANUP(frames_done) struct frames f = {0}, back = {0};
    CLEANUP_FREE void *table = NULL;

    (void)state;
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(frames_add(&f, i, ~i), 0);
    table = malloc(seektable_size(&f));
    assert_non_null(table);
    seektable_encode(&f, table);
    assert_int_equal(seektable_decode(table, seektable_size(&f), &back), 0);
    assert_int_equal(back.count, 10000);
    assert_memory_equal(back.frame, f.frame, f.count * sizeof(*f.frame));
}

static void more_frames_than_the_format_has_are_refused(void **state)
{
    struct frames f = {.count = SEEKTABLE_FRAMES_MAX, .capacity = SEEKTABLE_FRAMES_MAX};

    (void)state;
    assert_int_equal(frames_add(&f, 1, 1), -EOVERFLOW);
    assert_int_equal(f.count, SEEKTABLE_FRAMES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_encoded_as_the_format_says),
        cmocka_unit_test(a_table_is_read_back),
        cmocka_unit_test(a_table_without_frames_goes_there_and_back),
        cmocka_unit_test(checksums_of_other_tools_are_skipped),
        cmocka_unit_test(the_footer_tells_the_size_of_the_table),
        cmocka_unit_test(a_table_with_anything_wrong_is_refused),
        cmocka_unit_test(a_table_that_is_too_short_or_too_long_is_refused),
        cmocka_unit_test(a_footer_that_is_none_is_refused),
        cmocka_unit_test(many_frames_are_kept_in_order),
        cmocka_unit_test(more_frames_than_the_format_has_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
