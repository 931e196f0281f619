/* SPDX-License-Identifier: Apache-2.0
 *
 * A journal gives back the parts that are certain, and none that is not, whatever was torn or made up.
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
#include "ship/journal.h"

#define HEAD                                                                                                           \
    "{\"journal\":1,\"store\":\"s3://b/p\",\"key\":\"a/b\",\"codec\":\"zstd:1\",\"block_size\":10,\"part_size\":5,"    \
    "\"file_size\":100,\"file_mtime_ns\":-7}\n"
#define PART(number, size, stored_end, raw_end, frames)                                                                \
    "{\"part\":" #number ",\"size\":" #size ",\"stored_end\":" #stored_end ",\"raw_end\":" #raw_end                    \
    ",\"etag\":\"r" #number "\",\"raw_digest\":\"d\",\"stored_digest\":\"s\",\"frames\":" frames "}\n"
#define PART1 PART(1, 5, 5, 20, "[2,10,3,10]")
#define PART2 PART(2, 6, 11, 30, "[6,10]")
#define PART3 PART(3, 7, 18, 40, "[7,10]")

static struct journal_head head_of(void)
{
    return (struct journal_head){.store = (char *)"s3://b/p",
                                 .key = (char *)"a/b",
                                 .codec = (char *)"zstd:1",
                                 .block_size = 10,
                                 .part_size = 5,
                                 .file_size = 100,
                                 .file_mtime_ns = -7};
}

static size_t count_of(const char *text)
{
    CLEANUP(journal_done) struct journal j = {0};

    assert_int_equal(journal_decode(text, strlen(text), &j), 0);
    for (size_t i = 0; i < j.count; i++)
        assert_int_equal(j.parts[i].number, i + 1);
    return j.count;
}

static void encode_all(const struct journal *j, struct buf *ret)
{
    assert_int_equal(journal_encode_head(&j->head, ret), 0);
    if (j->token)
        assert_int_equal(journal_encode_token(j->token, ret), 0);
    for (size_t i = 0; i < j->count; i++)
        assert_int_equal(journal_encode_part(&j->parts[i], ret), 0);
}

static void what_was_written_is_read(void **state)
{
    static const char text[] = HEAD "{\"token\":\"2~upload\"}\n" PART1 PART2;
    CLEANUP(journal_done) struct journal j = {0};
    CLEANUP(buf_done) struct buf again = {0};
    struct journal_head head = head_of();

    (void)state;
    assert_int_equal(journal_decode(text, sizeof(text) - 1, &j), 0);
    assert_true(journal_head_same(&j.head, &head));
    assert_string_equal(j.token, "2~upload");
    assert_int_equal(j.count, 2);
    assert_int_equal(j.parts[0].number, 1);
    assert_int_equal(j.parts[0].size, 5);
    assert_int_equal(j.parts[0].stored_end, 5);
    assert_int_equal(j.parts[0].raw_end, 20);
    assert_string_equal(j.parts[0].etag, "r1");
    assert_string_equal(j.parts[0].raw_digest, "d");
    assert_string_equal(j.parts[0].stored_digest, "s");
    assert_int_equal(j.parts[0].frames.count, 2);
    assert_int_equal(j.parts[0].frames.frame[1].stored, 3);
    assert_int_equal(j.parts[0].frames.frame[1].raw, 10);
    encode_all(&j, &again);
    assert_string_equal(buf_text(&again), text);
}

static void texts_with_quotes_and_utf8_come_back(void **state)
{
    struct journal_head head = head_of();
    CLEANUP(journal_done) struct journal j = {0};
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    head.key = (char *)"sp ace/\"quote\"\\/caf\xc3\xa9\n";
    assert_int_equal(journal_encode_head(&head, &b), 0);
    assert_int_equal(journal_encode_token("a\"b\\c", &b), 0);
    assert_int_equal(journal_decode(b.data, b.size, &j), 0);
    assert_true(journal_head_same(&j.head, &head));
    assert_string_equal(j.token, "a\"b\\c");
}

static void a_line_torn_at_any_byte_ends_the_reading(void **state)
{
    static const char text[] = HEAD PART1 PART2;

    (void)state;
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        CLEANUP_FREE char *copy = malloc(size + 1); /* so that a read too far is caught */
        struct journal j = {0};
        int r;

        memcpy(copy, text, size);
        r = journal_decode(copy, size, &j);
        if (size < strlen(HEAD)) {
            assert_int_equal(r, -EBADMSG);
        } else {
            assert_int_equal(r, 0);
            assert_int_equal(j.count, size < strlen(HEAD PART1) ? 0 : 1);
        }
        journal_done(&j);
    }
}

static void parts_are_put_in_order(void **state)
{
    (void)state;
    assert_int_equal(count_of(HEAD PART3 PART1 PART2), 3);
    assert_int_equal(count_of(HEAD PART2 PART3 PART1), 3);
}

static void many_parts_in_the_wrong_order(void **state)
{
    enum { COUNT = 3000 };
    CLEANUP(journal_done) struct journal j = {0};
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_int_equal(buf_add_text(&b, HEAD), 0);
    for (unsigned i = COUNT; i > 0; i--) {
        struct frame frame = {.stored = 5, .raw = 9};
        struct journal_part p = {.number = i,
                                 .size = 5,
                                 .stored_end = 5 * (uint64_t)i,
                                 .raw_end = 9 * (uint64_t)i,
                                 .frames = {.frame = &frame, .count = 1, .capacity = 1}};

        assert_int_equal(journal_encode_part(&p, &b), 0);
    }
    assert_int_equal(journal_decode(b.data, b.size, &j), 0);
    assert_int_equal(j.count, COUNT);
    assert_int_equal(j.parts[COUNT - 1].stored_end, 5 * COUNT);
}

static void parts_behind_a_gap_are_dropped(void **state)
{
    (void)state;
    assert_int_equal(count_of(HEAD PART2 PART3), 0);
    assert_int_equal(count_of(HEAD PART1 PART3), 1);
}

static void sums_that_do_not_add_up_end_the_reading(void **state)
{
    (void)state;
    assert_int_equal(count_of(HEAD PART1 PART(2, 6, 12, 30, "[6,10]") PART3), 1);   /* stored_end */
    assert_int_equal(count_of(HEAD PART1 PART(2, 6, 11, 31, "[6,10]") PART3), 1);   /* raw_end */
    assert_int_equal(count_of(HEAD PART1 PART(2, 6, 11, 19, "[6,10]") PART3), 1);   /* raw_end goes back */
    assert_int_equal(count_of(HEAD PART1 PART(2, 7, 12, 30, "[6,10]") PART3), 1);   /* frames' stored */
    assert_int_equal(count_of(HEAD PART1 PART(2, 6, 11, 30, "[6,11]") PART3), 1);   /* frames' raw */
    assert_int_equal(count_of(HEAD PART1 PART(2, 6, 11, 30, "[]") PART3), 1);       /* no frames */
    assert_int_equal(count_of(HEAD PART(1, 5, 6, 20, "[2,10,3,10]")), 0);           /* the first begins at 0 */
    assert_int_equal(count_of(HEAD PART(1, 5, 5, 20, "[2,10,3,10,0,0]") PART2), 2); /* an empty frame is none's harm */
}

static void a_wrong_line_ends_the_reading(void **state)
{
    static const char *const lines[] = {
        "\n",
        "{}\n",
        "null\n",
        "[1]\n",
        "{\"part\":2}\n",
        HEAD,
        "{\"token\":7}\n",
        "{\"token\":\"\\u0000\"}\n",
        "{\"token\":\"a\\nb\"}\n",
        "{\"token\":\"a\",\"more\":1}\n",
        PART(0, 6, 11, 30, "[6,10]"),
        PART(-2, 6, 11, 30, "[6,10]"),
        PART(100001, 6, 11, 30, "[6,10]"),
        PART(4294967298, 6, 11, 30, "[6,10]"),
        PART(2.0, 6, 11, 30, "[6,10]"),
        PART(2, 0, 5, 20, "[]"),
        PART(2, -6, 11, 30, "[6,10]"),
        PART(2, 6, 11, -30, "[6,10]"),
        PART(2, 6, 99999999999999999999, 30, "[6,10]"),
        PART(2, 6, 11, 30, "[6]"),
        PART(2, 6, 11, 30, "[6,\"10\"]"),
        PART(2, 6, 11, 30, "[6,10.0]"),
        PART(2, 6, 11, 30, "[-1,10]"),
        PART(2, 6, 11, 30, "[4294967302,10]"),
        PART(2, 6, 11, 30, "{}"),
        PART(2, 6, 11, 30, "[6,10],\"size\":6"),
        PART(2, 6, 11, 30, "[6,10],\"more\":1"),
        PART(2, 6, 11, 30, "[6,10]}{"),
        "\xef\xbb\xbf" PART2,
        "{\"part\":2,\"size\":6,\"stored_end\":11,\"raw_end\":30,\"etag\":\"\xff\",\"raw_digest\":\"d\","
        "\"stored_digest\":\"s\",\"frames\":[6,10]}\n",
        "{\"part\":2,\"size\":6,\"stored_end\":11,\"raw_end\":30,\"etag\":\"a\\r\\nX: y\",\"raw_digest\":\"d\","
        "\"stored_digest\":\"s\",\"frames\":[6,10]}\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        CLEANUP(buf_done) struct buf instead = {0}, between = {0};

        assert_int_equal(buf_printf(&instead, "%s%s%s", HEAD PART1, lines[i], PART3), 0);
        assert_int_equal(buf_printf(&between, "%s%s%s", HEAD PART1, lines[i], PART2 PART3), 0);
        if (count_of(buf_text(&instead)) != 1)
            fail_msg("this line was believed: %s", lines[i]);
        if (count_of(buf_text(&between)) != 1)
            fail_msg("this line was passed over: %s", lines[i]);
    }
}

static void texts_too_long_for_their_field_end_the_reading(void **state)
{
    static const char *const formats[] = {
        "{\"part\":1,\"size\":1,\"stored_end\":1,\"raw_end\":1,\"etag\":\"%s\",\"raw_digest\":\"\","
        "\"stored_digest\":\"\",\"frames\":[1,1]}\n",
        "{\"part\":1,\"size\":1,\"stored_end\":1,\"raw_end\":1,\"etag\":\"\",\"raw_digest\":\"%s\","
        "\"stored_digest\":\"\",\"frames\":[1,1]}\n",
        "{\"part\":1,\"size\":1,\"stored_end\":1,\"raw_end\":1,\"etag\":\"\",\"raw_digest\":\"\","
        "\"stored_digest\":\"%s\",\"frames\":[1,1]}\n",
    };
    char fits[256], longer[257];

    (void)state;
    memset(fits, 'x', sizeof(fits));
    memset(longer, 'x', sizeof(longer));
    fits[255] = longer[256] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        char text[2048];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        size_t at = (size_t)snprintf(text, sizeof(text), HEAD);

        snprintf(text + at, sizeof(text) - at, formats[i], fits);
        assert_int_equal(count_of(text), 1);
        snprintf(text + at, sizeof(text) - at, formats[i], longer);
        assert_int_equal(count_of(text), 0);
#pragma GCC diagnostic pop
    }
}

static void of_two_lines_for_one_part_neither_is_believed(void **state)
{
    (void)state;
    assert_int_equal(count_of(HEAD PART1 PART2 PART2 PART3), 1);
    assert_int_equal(count_of(HEAD PART1 PART(2, 8, 13, 30, "[8,10]") PART2 PART3), 1);
}

static void another_token_ends_the_reading(void **state)
{
    (void)state;
    assert_int_equal(count_of(HEAD "{\"token\":\"a\"}\n" PART1 "{\"token\":\"a\"}\n" PART2), 2);
    assert_int_equal(count_of(HEAD "{\"token\":\"a\"}\n" PART1 "{\"token\":\"b\"}\n" PART2), 1);
}

static void without_a_head_there_is_no_journal(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        PART1,
        "\n" HEAD,
        "{\"journal\":2,\"store\":\"s\",\"key\":\"k\",\"codec\":\"c\",\"block_size\":1,\"part_size\":1,\"file_size\":1,"
        "\"file_mtime_ns\":1}\n",
        "{\"journal\":4294967297,\"store\":\"s\",\"key\":\"k\",\"codec\":\"c\",\"block_size\":1,\"part_size\":1,"
        "\"file_size\":1,\"file_mtime_ns\":1}\n",
        "{\"journal\":1,\"store\":\"s\",\"key\":\"k\",\"codec\":\"c\",\"block_size\":1,\"part_size\":1,\"file_size\":-"
        "1,"
        "\"file_mtime_ns\":1}\n",
        "{\"journal\":1,\"store\":\"s\",\"key\":\"k\",\"codec\":\"c\",\"block_size\":-1,\"part_size\":1,\"file_size\":"
        "1,"
        "\"file_mtime_ns\":1}\n",
        "{\"journal\":1,\"store\":\"s\",\"key\":null,\"codec\":\"c\",\"block_size\":1,\"part_size\":1,\"file_size\":1,"
        "\"file_mtime_ns\":1}\n",
    };
    struct journal untouched;

    (void)state;
    memset(&untouched, 0x5a, sizeof(untouched));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct journal j = untouched;

        assert_int_equal(journal_decode(texts[i], strlen(texts[i]), &j), -EBADMSG);
        assert_memory_equal(&j, &untouched, sizeof(j));
    }
    assert_int_equal(journal_decode(NULL, 0, &untouched), -EBADMSG);
    assert_int_equal(journal_decode(HEAD, 256 * 1024 * 1024 + 1, &untouched), -EBADMSG);
}

static void what_could_not_be_read_is_not_written(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    CLEANUP(journal_part_done) struct journal_part p = {.number = 1};
    struct journal_head head = head_of();
    char token[JOURNAL_TOKEN_MAX + 1];

    (void)state;
    assert_int_equal(buf_add_text(&b, "before"), 0);
    head.key = (char *)"caf\xe9";
    assert_int_equal(journal_encode_head(&head, &b), -EINVAL);
    head = head_of();
    head.file_size = UINT64_MAX;
    assert_int_equal(journal_encode_head(&head, &b), -EINVAL);
    memset(token, 'x', sizeof(token));
    token[JOURNAL_TOKEN_MAX] = '\0';
    assert_int_equal(journal_encode_token(token, &b), -EINVAL);
    assert_int_equal(journal_encode_token("a\nb", &b), -EINVAL);
    assert_int_equal(journal_encode_token("\xff", &b), -EINVAL);
    memset(p.etag, 'x', sizeof(p.etag)); /* no NUL */
    assert_int_equal(journal_encode_part(&p, &b), -EINVAL);
    p.etag[0] = '\0';
    for (size_t i = 0; i < JOURNAL_LINE_MAX / 4; i++)
        assert_int_equal(frames_add(&p.frames, 1, 1), 0);
    assert_int_equal(journal_encode_part(&p, &b), -EMSGSIZE);
    assert_string_equal(buf_text(&b), "before");
}

static void a_line_of_the_greatest_length_is_read_and_a_longer_one_not(void **state)
{
    CLEANUP_FREE char *store = malloc(JOURNAL_LINE_MAX);
    CLEANUP(buf_done) struct buf b = {0};
    CLEANUP(journal_done) struct journal j = {0};
    struct journal_head head = head_of();
    size_t rest = strlen(HEAD) - strlen("s3://b/p");

    (void)state;
    memset(store, 'x', JOURNAL_LINE_MAX);
    head.store = store;
    store[JOURNAL_LINE_MAX - rest + 1] = '\0';
    assert_int_equal(journal_encode_head(&head, &b), -EMSGSIZE);
    store[JOURNAL_LINE_MAX - rest] = '\0';
    assert_int_equal(journal_encode_head(&head, &b), 0);
    assert_int_equal(b.size, JOURNAL_LINE_MAX);
    assert_int_equal(journal_decode(b.data, b.size, &j), 0);
    assert_string_equal(j.head.store, store);
    journal_done(&j);
    b.data[b.size - 1] = ' '; /* white space is right in JSON, but this is a byte too much */
    assert_int_equal(buf_add_text(&b, "\n"), 0);
    assert_int_equal(journal_decode(b.data, b.size, &j), -EBADMSG);
}

static void heads_differ_by_each_field(void **state)
{
    struct journal_head a = head_of(), others[7];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        others[i] = a;
    assert_true(journal_head_same(&a, &others[0]));
    others[0].store = (char *)"s3://c/p";
    others[1].key = (char *)"a/c";
    others[2].codec = (char *)"zstd:3";
    others[3].block_size++;
    others[4].part_size++;
    others[5].file_size++;
    others[6].file_mtime_ns++;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(journal_head_same(&a, &others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(texts_with_quotes_and_utf8_come_back),
        cmocka_unit_test(a_line_torn_at_any_byte_ends_the_reading),
        cmocka_unit_test(parts_are_put_in_order),
        cmocka_unit_test(many_parts_in_the_wrong_order),
        cmocka_unit_test(parts_behind_a_gap_are_dropped),
        cmocka_unit_test(sums_that_do_not_add_up_end_the_reading),
        cmocka_unit_test(a_wrong_line_ends_the_reading),
        cmocka_unit_test(texts_too_long_for_their_field_end_the_reading),
        cmocka_unit_test(of_two_lines_for_one_part_neither_is_believed),
        cmocka_unit_test(another_token_ends_the_reading),
        cmocka_unit_test(without_a_head_there_is_no_journal),
        cmocka_unit_test(what_could_not_be_read_is_not_written),
        cmocka_unit_test(a_line_of_the_greatest_length_is_read_and_a_longer_one_not),
        cmocka_unit_test(heads_differ_by_each_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
