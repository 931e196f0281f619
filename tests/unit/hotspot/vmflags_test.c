/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to "VM.flags -all" as JDK 8, 17 and 25 write them, and some that none of them would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hotspot/vmflags.h"

static const char JDK_17[] =
    "[Global flags]\n"
    "     intx HeapDumpGzipLevel                        = 0                                      {manageable} "
    "{default}\n"
    "     bool HeapDumpOnOutOfMemoryError               = true                                   {manageable} {command "
    "line}\n"
    "    ccstr HeapDumpPath                             = /a b/{x} %p.hprof                      {manageable} "
    "{attach}\n"
    "    ccstr HeapDumpPathOld                          = /old                                   {manageable} "
    "{default}\n"
    "   size_t MaxHeapSize                              = 1                         {product} {command line, "
    "ergonomic}\n"
    "ccstrlist OnOutOfMemoryError                       =                                           {product} "
    "{default}";

static const char JDK_8[] =
    "[Global flags]\n"
    "     bool HeapDumpOnOutOfMemoryError                = false                               {manageable}\n"
    "    ccstr HeapDumpPath                             := /x y                                {manageable}\n";

#define FIND(text, name, ret) vmflags_find(text, sizeof(text) - 1, name, ret)

static void a_value_and_who_set_it(void **state)
{
    struct vmflag f;

    (void)state;
    assert_true(FIND(JDK_17, "HeapDumpPath", &f));
    assert_true(vmflags_is(&f, "/a b/{x} %p.hprof"));
    assert_true(vmflags_set_by(&f, "attach"));
    assert_true(FIND(JDK_17, "HeapDumpOnOutOfMemoryError", &f));
    assert_true(vmflags_is(&f, "true") && vmflags_set_by(&f, "command line"));
    assert_true(FIND(JDK_17, "MaxHeapSize", &f));
    assert_true(vmflags_is(&f, "1") && vmflags_set_by(&f, "command line, ergonomic"));
    assert_true(FIND(JDK_17, "OnOutOfMemoryError", &f));
    assert_true(vmflags_is(&f, "") && vmflags_set_by(&f, "default"));
    assert_false(FIND(JDK_17, "HeapDump", &f));
    assert_false(FIND(JDK_17, "", &f));
}

static void jdk_8_says_nothing_of_who(void **state)
{
    struct vmflag f;

    (void)state;
    assert_true(FIND(JDK_8, "HeapDumpPath", &f));
    assert_true(vmflags_is(&f, "/x y"));
    assert_null(f.origin);
    assert_false(vmflags_set_by(&f, "attach"));
    assert_true(FIND(JDK_8, "HeapDumpOnOutOfMemoryError", &f));
    assert_true(vmflags_is(&f, "false"));
    assert_null(f.origin);
}

static void what_is_no_such_line_is_passed_over(void **state)
{
    static const char odd[] = "ccstr A\nccstr A = \nccstr A =x\nA = 1\n\n   \nccstr B = }\nccstr C = {\nccstr D == 1";
    struct vmflag f;

    (void)state;
    assert_true(FIND(odd, "A", &f));
    assert_true(vmflags_is(&f, ""));
    assert_true(FIND(odd, "B", &f));
    assert_true(vmflags_is(&f, "}"));
    assert_true(FIND(odd, "C", &f));
    assert_true(vmflags_is(&f, "{"));
    f.value = "before";
    assert_false(FIND(odd, "D", &f));
    assert_false(vmflags_find("", 0, "A", &f));
    assert_string_equal(f.value, "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_and_who_set_it),
        cmocka_unit_test(jdk_8_says_nothing_of_who),
        cmocka_unit_test(what_is_no_such_line_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
