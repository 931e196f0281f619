/* SPDX-License-Identifier: Apache-2.0
 *
 * Records as read(2) gives them, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "linux/kmsgrecord.h"

static struct kmsgrecord record;

static int parse(const char *text)
{
    return kmsgrecord_parse(text, strlen(text), &record);
}

static void a_record_of_the_kernel(void **state)
{
    (void)state;
    assert_int_equal(parse("3,20526,34045602715,-;Memory cgroup out of memory\n"), 0);
    assert_int_equal(record.level, 3);
    assert_int_equal(record.facility, 0);
    assert_int_equal(record.sequence, 20526);
    assert_int_equal(record.usec, 34045602715);
    assert_false(record.continued);
    assert_string_equal(record.text, "Memory cgroup out of memory");
    assert_int_equal(record.size, strlen(record.text));
}

static void what_a_process_wrote_has_another_facility(void **state)
{
    (void)state;
    assert_int_equal(parse("12,1,2,-;Killed process 1 (init)\n"), 0);
    assert_int_equal(record.facility, 1);
    assert_int_equal(record.level, 4);
}

static void what_is_behind_the_flags_and_the_text_is_passed_over(void **state)
{
    (void)state;
    assert_int_equal(parse("6,1,2,c,caller=T123;a;b\n SUBSYSTEM=usb\n DEVICE=+usb:1\n"), 0);
    assert_string_equal(record.text, "a;b");
    assert_true(record.continued);
    assert_int_equal(parse("6,1,2,+;x"), 0);
    assert_true(record.continued);
}

static void escapes_are_bytes_again(void **state)
{
    (void)state;
    assert_int_equal(parse("6,1,2,-;a\\x0ab\\x5cc\\xff\\x00\\xg0\\x1\n"), 0);
    assert_memory_equal(record.text, "a\nb\\c\xff?\\xg0\\x1", record.size + 1);
    assert_int_equal(record.size, strlen("a\nb\\c\xff?\\xg0\\x1"));
}

static void what_is_no_record_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "6", "6,1,2,-", "-6,1,2,-;x", "6,,2,-;x", "65536,1,2,-;x", "6,1,18446744073709551616,-;x"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(parse(bad[i]), -EBADMSG);
}

static void one_that_is_too_long_is_refused(void **state)
{
    static char text[KMSGRECORD_MAX + 1] = "6,1,2,-;";

    (void)state;
    memset(text + 8, 'x', sizeof(text) - 9);
    assert_int_equal(kmsgrecord_parse(text, KMSGRECORD_MAX, &record), -EBADMSG);
    assert_int_equal(kmsgrecord_parse(text, KMSGRECORD_MAX - 1, &record), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_of_the_kernel),
        cmocka_unit_test(what_a_process_wrote_has_another_facility),
        cmocka_unit_test(what_is_behind_the_flags_and_the_text_is_passed_over),
        cmocka_unit_test(escapes_are_bytes_again),
        cmocka_unit_test(what_is_no_record_is_refused),
        cmocka_unit_test(one_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
