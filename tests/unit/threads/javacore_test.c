/* SPDX-License-Identifier: Apache-2.0
 *
 * The first lines of javacores, as OpenJ9 and IBM's older JVMs write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "threads/javacore.h"

static void each_event_has_its_cause(void **state)
{
    static const struct {
        const char *line, *cause, *detail;
    } events[] = {
        {"Dump Event \"systhrow\" (00040000) Detail \"java/lang/OutOfMemoryError\" \"Java heap space\" received ",
         "java-oom", "java/lang/OutOfMemoryError: Java heap space"},
        {"Dump Event \"systhrow\" (00040000) Detail \"java/lang/OutOfMemoryError\" received ", "java-oom",
         "java/lang/OutOfMemoryError"},
        {"Dump Event \"uncaught\" (00008000) Detail \"java/lang/IllegalStateException\" \"x\" received ", "exception",
         "java/lang/IllegalStateException: x"},
        {"Dump Event \"throw\" (00000010) Detail \"java/lang/OutOfMemoryError\" received ", "java-oom",
         "java/lang/OutOfMemoryError"},
        {"Dump Event \"user\" (00004000) received ", "user", ""},
        {"Dump Event \"user2\" (00800000) received ", "user", ""},
        {"Dump Event \"gpf\" (00002000) received ", "signal", ""},
        {"Dump Event \"abort\" (00020000) received ", "signal", ""},
        {"Dump Event \"traceassert\" (00010000) received ", "assert", ""},
        {"Dump Event \"slow\" (00000080) Detail \"12345\" received ", "slow", "12345"},
        {"Dump Event \"vm../Stop\" (00000002) received ", "vmstop", ""},
        {"Dump Requested By User (00100000) Through com.ibm.jvm.Dump.JavaDump", "user",
         "Dump Requested By User (00100000) Through com.ibm.jvm.Dump.JavaDump"},
        {"OUTOFMEMORY received", "java-oom", "OUTOFMEMORY received"},
        {"SIGQUIT received", "user", "SIGQUIT received"},
        {"SIGSEGV received at 0x7f", "signal", "SIGSEGV received at 0x7f"},
        {"SIGNONE received", "unknown", "SIGNONE received"},
        {"something new", "", "something new"},
        {"Dump Event \"cut", "", ""},
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        struct origin o = {0};

        snprintf(text, sizeof(text), "0SECTION       TITLE\r\n1TISIGINFO     %s\r\nNULL  ---\r\n", events[i].line);
        javacore_origin(text, strlen(text), &o);
        assert_string_equal(o.cause, events[i].cause);
        assert_string_equal(o.detail, events[i].detail);
    }
}

static void the_process_is_named(void **state)
{
    static const char text[] = "0SECTION       TITLE subcomponent dump routine\n"
                               "1TIDATETIME    Date: 2016/04/04 at 08:39:09:996\n"
                               "1TIFILENAME    Javacore filename:    /work/javacore.20160404.083909.9480.0003.txt\n"
                               "1CIJAVAVERSION JRE 1.8.0 Linux amd64-64 build (pxa64)\n"
                               "1CIPROCESSID   Process ID: 9480 (0x2508)\n"
                               "1CICMDLINE     java -Xmx5m -cp a:b Main\n"
                               "1CICMDLINEX    no\n";
    static const char older[] =
        "1TIFILENAME    Javacore filename:    C:\\w\\javacore.20130429.083110.14261.0002.txt\r\n",
                      renamed[] = "1TIFILENAME    Javacore filename:    /w/javacore.20130429.14261.txt\n";
    struct origin o = {0};

    (void)state;
    javacore_origin(text, sizeof(text) - 1, &o);
    assert_string_equal(o.time, "2016/04/04 at 08:39:09:996");
    assert_string_equal(o.file, "/work/javacore.20160404.083909.9480.0003.txt");
    assert_string_equal(o.jvm, "JRE 1.8.0 Linux amd64-64 build (pxa64)");
    assert_string_equal(o.command, "java -Xmx5m -cp a:b Main");
    assert_int_equal(o.pid, 9480);
    assert_string_equal(o.cause, "");
    o = (struct origin){0};
    javacore_origin(older, sizeof(older) - 1, &o);
    assert_int_equal(o.pid, 14261);
    o = (struct origin){0};
    javacore_origin(renamed, sizeof(renamed) - 1, &o);
    assert_int_equal(o.pid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_has_its_cause),
        cmocka_unit_test(the_process_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
