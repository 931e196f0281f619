/* SPDX-License-Identifier: Apache-2.0
 *
 * The sentence of each cause.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/why.h"

#define TEXT(t) ((char *)(uintptr_t)(t))

static void each_cause_has_its_sentence(void **state)
{
    static const struct {
        const char *cause, *kind, *detail, *sentence;
    } rows[] = {
        {"java-oom", "heap-dump", "java/lang/OutOfMemoryError: Java heap space",
         "The JVM ran out of memory: Java heap space."},
        {"java-oom", "heap-dump", NULL, "The JVM ran out of memory."},
        {"java-oom", "heap-dump", "java/lang/OutOfMemoryError", "The JVM ran out of memory."},
        {"native-oom", "hs-err", "Out of Memory Error (os_linux.cpp:2749)",
         "The system gave the JVM no more memory: Out of Memory Error (os_linux.cpp:2749)."},
        {"oom-kill", "oom-kill", "java, 512 MiB", "The kernel killed a process that was out of memory: java, 512 MiB."},
        {"signal", "hs-err", "SIGSEGV (0xb)", "The JVM crashed: SIGSEGV (0xb)."},
        {"signal", "core", "SIGABRT (6)", "The process was ended by a signal: SIGABRT (6)."},
        {"signal", "jvm-end", "SIGKILL (9)", "The JVM was ended by a signal and left nothing behind: SIGKILL (9)."},
        {"user", "heap-dump", NULL, "Requested by a user."},
        {"unknown", "heap-dump", NULL, "Heap dump, cause unknown."},
        {NULL, NULL, NULL, "File, cause unknown."},
        {"something-new", "something", "42", "something: 42."},
        {"signal", "core", "ends with a stop.", "The process was ended by a signal: ends with a stop."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct manifest m = {
            .cause = TEXT(rows[i].cause), .kind = TEXT(rows[i].kind), .origin.detail = TEXT(rows[i].detail)};
        char out[WHY_MAX];

        assert_string_equal(why_sentence(&m, out), rows[i].sentence);
    }
}

static void long_and_hostile_details_stay_one_short_line(void **state)
{
    char detail[2000] = "", out[WHY_MAX];
    struct manifest m = {.cause = TEXT("signal"), .kind = TEXT("core"), .origin.detail = detail};

    (void)state;
    while (strlen(detail) < sizeof(detail) - 3)
        strcat(detail, "\xc3\xa4"); /* NOLINT: it fits */
    why_sentence(&m, out);
    assert_true(strlen(out) > 250 && strlen(out) < WHY_MAX);
    for (size_t at = 0, size; out[at]; at += size)
        assert_true((size = text_utf8_length(out + at, strlen(out + at))) > 0);
    m.origin.detail = TEXT("a\nb\x1b[31m");
    why_sentence(&m, out);
    assert_null(strpbrk(out, "\n\x1b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_has_its_sentence),
        cmocka_unit_test(long_and_hostile_details_stay_one_short_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
