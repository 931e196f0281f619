/* SPDX-License-Identifier: Apache-2.0
 *
 * What JVMs answer to a request for a heap dump, taken from JDK 8 to 25.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hotspot/dumpanswer.h"

static void check(const char *text, enum dumpanswer answer, const char *reason)
{
    char told[64];

    memset(told, 'x', sizeof(told));
    assert_int_equal(dumpanswer_read(text, told, sizeof(told)), answer);
    assert_string_equal(told, reason);
}

static void a_dump_that_was_made(void **state)
{
    (void)state;
    check("Dumping heap to /tmp/x ...\nHeap dump file created [1024 bytes in 0.005 secs]\n", DUMPANSWER_MADE, "");
    check("Dumping heap to /tmp/x ...\nHeap dump file created [1024 bytes in 0.005 secs]", DUMPANSWER_MADE, "");
    check("Heap dump file created\n", DUMPANSWER_MADE, "");
}

static void one_that_could_not_be_made(void **state)
{
    (void)state;
    check("Dumping heap to ./x ...\nUnable to create ./x: File exists\n", DUMPANSWER_REFUSED, "File exists");
    check("Unable to create /a: b/x: Permission denied\n", DUMPANSWER_REFUSED, "Permission denied");
    check("Unable to create", DUMPANSWER_REFUSED, "Unable to create");
}

static void one_that_is_cut_off(void **state)
{
    (void)state;
    check("Dumping heap to x ...\nDump file is incomplete: No space left on device\n", DUMPANSWER_CUT,
          "No space left on device");
}

static void any_other_word_is_a_refusal(void **state)
{
    (void)state;
    check("Compression level out of range (1-9): 77\n", DUMPANSWER_REFUSED, "Compression level out of range (1-9): 77");
    check("\n\nCould not allocate\n", DUMPANSWER_REFUSED, "Could not allocate");
}

/* As it is where the JVM is killed meanwhile. */
static void an_answer_that_breaks_off_says_nothing(void **state)
{
    (void)state;
    check("", DUMPANSWER_NONE, "");
    check("\n\n", DUMPANSWER_NONE, "");
    check("Dumping heap to /tmp/x ...\n", DUMPANSWER_NONE, "");
    check("Dumping heap to /tmp/Heap dump file created", DUMPANSWER_NONE, "");
}

static void a_long_reason_is_cut(void **state)
{
    char text[1000] = "Unable to create x: ", told[8];

    (void)state;
    memset(text + 20, 'y', 900);
    assert_int_equal(dumpanswer_read(text, told, sizeof(told)), DUMPANSWER_REFUSED);
    assert_string_equal(told, "yyyyyyy");
    assert_int_equal(dumpanswer_read(text, NULL, 0), DUMPANSWER_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_that_was_made),
        cmocka_unit_test(one_that_could_not_be_made),
        cmocka_unit_test(one_that_is_cut_off),
        cmocka_unit_test(any_other_word_is_a_refusal),
        cmocka_unit_test(an_answer_that_breaks_off_says_nothing),
        cmocka_unit_test(a_long_reason_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
