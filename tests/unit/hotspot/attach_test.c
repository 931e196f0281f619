/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests byte by byte as HotSpot reads them, and answers, whole and broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/attach_protocol.h"

static const struct attach_dialect ONE = {.version = 1}, TWO = {.version = 2, .streams = true}, SILENT = {.version = 2};

static void a_request_has_three_arguments_always(void **state)
{
    static const char expected[] = "1\0dumpheap\0/tmp/x.hprof\0-all\0\0", bare[] = "1\0properties\0\0\0\0";
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_int_equal(attach_request(&b, &ONE, true, "dumpheap", (const char *[ATTACH_ARGS]){"/tmp/x.hprof", "-all"}),
                     0);
    assert_int_equal(b.size, sizeof(expected) - 1);
    assert_memory_equal(b.data, expected, b.size);
    buf_clear(&b);
    assert_int_equal(attach_request(&b, &ONE, true, "properties", (const char *[ATTACH_ARGS]){0}), 0);
    assert_int_equal(b.size, sizeof(bare) - 1);
    assert_memory_equal(b.data, bare, b.size);
}

static void a_word_that_the_jvm_would_choke_on_is_not_sent(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    char word[ATTACH_WORD_MAX + 1];

    (void)state;
    memset(word, 'x', sizeof(word) - 1);
    word[ATTACH_WORD_MAX] = '\0';
    assert_int_equal(attach_request(&b, &ONE, true, "dumpheap", (const char *[ATTACH_ARGS]){word}), -E2BIG);
    assert_int_equal(b.size, 0);
    word[ATTACH_WORD_MAX - 1] = '\0';
    assert_int_equal(attach_request(&b, &ONE, true, "dumpheap", (const char *[ATTACH_ARGS]){word}), 0);
}

static void assert_answer(const char *data, size_t size, int result, const char *text)
{
    CLEANUP_FREE char *copy = malloc(size + !size);
    int found = 4711;
    size_t at = 0;

    memcpy(copy, data, size);
    assert_int_equal(attach_answer(copy, size, &found, &at), 1);
    assert_int_equal(found, result);
    assert_int_equal(size - at, strlen(text));
    assert_memory_equal(copy + at, text, strlen(text));
}

static void an_answer_is_a_number_and_a_text(void **state)
{
    (void)state;
    assert_answer("0\nHeap dump file created\n", 25, 0, "Heap dump file created\n");
    assert_answer("0\n", 2, 0, "");
    assert_answer("101\nOperation dump not recognized!", 34, 101, "Operation dump not recognized!");
    assert_answer("-1\n\n", 4, -1, "\n");
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const bad[] = {"\n", "-\n", "x\n", "0x\n", " 0\n", "99999999999\n", "--1\n"};
    int result = 4711;
    size_t text = 4712;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(attach_answer(bad[i], strlen(bad[i]), &result, &text), -EBADMSG);
    assert_int_equal(result, 4711);
    assert_int_equal(text, 4712);
}

static void a_result_that_is_on_its_way_is_waited_for(void **state)
{
    static const char *const begun[] = {"", "-", "0", "101"};
    int result = 4711;
    size_t text = 4712;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(begun); i++)
        assert_int_equal(attach_answer(begun[i], strlen(begun[i]), &result, &text), 0);
    assert_int_equal(attach_answer(NULL, 0, &result, &text), 0);
    assert_int_equal(attach_answer("0000000000000000", 16, &result, &text), -EBADMSG); /* it has no end */
    assert_int_equal(result, 4711);
    assert_int_equal(text, 4712);
}

static void version_2_tells_its_size_and_may_be_long(void **state)
{
    static const char streamed[] = "2\00026\000jcmd streaming=1\000VM.flags\000",
                      plain[] = "2\00014\000jcmd\000VM.flags\000";
    CLEANUP(buf_done) struct buf b = {0};
    CLEANUP_FREE char *word = calloc(1, ATTACH_REQUEST_MAX + 1);
    const char *const flags[ATTACH_ARGS] = {"VM.flags"};

    (void)state;
    assert_int_equal(attach_request(&b, &TWO, true, "jcmd", flags), 0);
    assert_int_equal(b.size, sizeof(streamed) - 1);
    assert_memory_equal(b.data, streamed, b.size);
    buf_clear(&b);
    assert_int_equal(attach_request(&b, &SILENT, true, "jcmd", flags), 0);
    assert_int_equal(b.size, sizeof(plain) - 1);
    assert_memory_equal(b.data, plain, b.size);
    buf_clear(&b);
    memset(word, 'x', ATTACH_REQUEST_MAX);
    assert_int_equal(attach_request(&b, &TWO, false, "jcmd", (const char *[ATTACH_ARGS]){word}), -E2BIG);
    assert_int_equal(b.size, 0);
    word[100000] = '\0';
    assert_int_equal(attach_request(&b, &TWO, false, "jcmd", (const char *[ATTACH_ARGS]){word}), 0);
}

static void a_jvm_says_what_it_speaks(void **state)
{
    static const struct {
        const char *text;
        unsigned version;
        bool streams;
    } said[] = {
        {"2 streaming", 2, true},
        {"2 streaming\n", 2, true},
        {"2 other,streaming", 2, false},
        {"2 other streaming x", 2, true},
        {"2", 2, false},
        {"3 streaming", 2, true},
        {"12", 2, false},
        {"1 streaming", 1, false},
        {"", 1, false},
        {"streaming", 1, false},
        {"2 streamingly", 2, false},
        {"x", 1, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
        struct attach_dialect d;

        attach_versions(said[i].text, &d);
        assert_int_equal(d.version, said[i].version);
        assert_int_equal(d.streams, said[i].streams);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_three_arguments_always),
        cmocka_unit_test(a_word_that_the_jvm_would_choke_on_is_not_sent),
        cmocka_unit_test(an_answer_is_a_number_and_a_text),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(a_result_that_is_on_its_way_is_waited_for),
        cmocka_unit_test(version_2_tells_its_size_and_may_be_long),
        cmocka_unit_test(a_jvm_says_what_it_speaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
