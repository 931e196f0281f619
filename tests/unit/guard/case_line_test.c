/* SPDX-License-Identifier: Apache-2.0
 *
 * A line of a guard's history comes back as it was, and what is no such line is refused.
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
#include "guard/case_line.h"

static void a_record_comes_back_whatever_its_key_is(void **state)
{
    static const char *const keys[] = {"pod 6f1c app", "cgroup /a b\n\xff\"%41", "process 7 4711"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct case_line c = {.what = CASE_LINE_FAILED, .mono_ms = 42, .wall_ms = 1764412345000}, read;
        CLEANUP(buf_done) struct buf line = {0};

        memcpy(c.boot, "b-1", 4);
        memcpy(c.key, keys[i], strlen(keys[i]) + 1);
        memcpy(c.tenant, "namespace shop", 15);
        assert_int_equal(case_line_encode(&c, &line), 0);
        assert_ptr_equal(memchr(line.data, '\n', line.size), line.data + line.size - 1);
        assert_int_equal(case_line_decode(line.data, line.size - 1, &read), 0);
        assert_int_equal(read.what, c.what);
        assert_true(read.mono_ms == c.mono_ms && read.wall_ms == c.wall_ms);
        assert_string_equal(read.key, c.key);
        assert_string_equal(read.tenant, c.tenant);
        assert_string_equal(read.boot, c.boot);
    }
}

#define LINE(what, mono, key)                                                                                          \
    "{\"what\":" what ",\"boot\":\"b\",\"mono_ms\":" mono ",\"wall_ms\":1,\"key\":" key ","                            \
    "\"tenant\":\"\"}"

static void what_is_no_record_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        LINE("\"begun\"", "1", "\"k\"") "x",
        LINE("\"begun\"", "1", "\"\""),
        LINE("\"begun\"", "-1", "\"k\""),
        LINE("\"begun\"", "\"1\"", "\"k\""),
        LINE("\"stolen\"", "1", "\"k\""),
        LINE("7", "1", "\"k\""),
        LINE("\"begun\"", "1", "null"),
        "{\"what\":\"begun\",\"boot\":\"0123456789012345678901234567890123456789\",\"mono_ms\":1,\"wall_ms\":1,\"key\":"
        "\"k\","
        "\"tenant\":\"\"}",
    };
    char longer[600];
    struct case_line untouched = {.mono_ms = 77};

    (void)state;
    assert_int_equal(case_line_decode(LINE("\"begun\"", "1", "\"k\""), strlen(LINE("\"begun\"", "1", "\"k\"")),
                                      &(struct case_line){.mono_ms = 0}),
                     0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(case_line_decode(bad[i], strlen(bad[i]), &untouched), -EBADMSG);
    snprintf(longer, sizeof(longer),
             "{\"what\":\"begun\",\"boot\":\"b\",\"mono_ms\":1,\"wall_ms\":1,\"key\":\"%0256d\",\"tenant\":\"\"}", 1);
    assert_int_equal(case_line_decode(longer, strlen(longer), &untouched), -EBADMSG);
    assert_int_equal(untouched.mono_ms, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_whatever_its_key_is),
        cmocka_unit_test(what_is_no_record_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
