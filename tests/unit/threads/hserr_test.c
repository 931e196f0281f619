/* SPDX-License-Identifier: Apache-2.0
 *
 * The first lines of crash logs of several JDKs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "threads/hserr.h"
#include "threads/hserr_read.h"

#define HEAD "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n"

static void each_error_has_its_cause(void **state)
{
    static const struct {
        const char *text, *cause, *detail;
        uint64_t pid;
    } errors[] = {
        {HEAD "#  SIGSEGV (0xb) at pc=0x00007f25ff8e1f14 (sent by kill), pid=4028, tid=4029\n#\n", "signal",
         "SIGSEGV (0xb)", 4028},
        {HEAD "#  EXCEPTION_ACCESS_VIOLATION (0xc0000005) at pc=0x0, pid=1, tid=0x2\n", "signal",
         "EXCEPTION_ACCESS_VIOLATION (0xc0000005)", 1},
        {HEAD "#  Internal Error (sharedRuntime.cpp:553), pid=7, tid=8\n#  guarantee(cb != NULL) failed: must be\n",
         "assert", "guarantee(cb != NULL) failed: must be", 7},
        {HEAD
         "#  Internal Error (debug.cpp:362), pid=7, tid=8\n#  fatal error: OutOfMemory encountered: Java heap space\n",
         "java-oom", "fatal error: OutOfMemory encountered: Java heap space", 7},
        {HEAD "#  Internal Error (x.cpp:1), pid=9, tid=8\r\n#  Error: ShouldNotReachHere()\r\n", "assert",
         "Error: ShouldNotReachHere()", 9},
        {"#\n# There is insufficient memory for the Java Runtime Environment to continue.\n"
         "# Native memory allocation (mmap) failed to map 65536 bytes\n"
         "#\n#  Out of Memory Error (os_linux.cpp:2795), pid=12, tid=13\n#\n",
         "native-oom", "Out of Memory Error (os_linux.cpp:2795)", 12},
        {"# There is insufficient memory for the Java Runtime Environment to continue.\n", "native-oom", "", 0},
        {"#\n# An unexpected error has been detected by HotSpot Virtual Machine:\n#\n"
         "#  SIGBUS (0x7) at pc=0x1, pid=3, tid=4\n",
         "signal", "SIGBUS (0x7)", 3},
        {HEAD, "", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct origin o = {0};

        hserr_origin(errors[i].text, strlen(errors[i].text), &o);
        assert_string_equal(o.cause, errors[i].cause);
        assert_string_equal(o.detail, errors[i].detail);
        assert_int_equal(o.pid, errors[i].pid);
    }
}

static void jvm_command_and_time(void **state)
{
    static const char modern[] = HEAD "#  SIGSEGV (0xb) at pc=0x0, pid=1, tid=2\n#\n"
                                      "# JRE version: OpenJDK Runtime Environment (17.0.15+6) (build 17.0.15+6)\n"
                                      "# Java VM: OpenJDK 64-Bit Server VM (17.0.15+6, mixed mode)\n"
                                      "---------------  S U M M A R Y ------------\n\nCommand Line: -Xmx40m Main 60\n\n"
                                      "Time: Sun Nov 29 06:17:17 2026 UTC elapsed time: 5.46 seconds (0d 0h 0m 5s)\n",
                      old[] = HEAD "# Java VM: Java HotSpot(TM) Server VM (11.0-b15)\njava_command: Main\n"
                                   "time: Mon Jan  1 00:00:00 2010\nelapsed time: 3 seconds\n";
    struct origin o = {0}, second = {0};

    (void)state;
    hserr_origin(modern, sizeof(modern) - 1, &o);
    assert_string_equal(o.jvm, "OpenJDK Runtime Environment (17.0.15+6) (build 17.0.15+6)");
    assert_string_equal(o.command, "-Xmx40m Main 60");
    assert_string_equal(o.time, "Sun Nov 29 06:17:17 2026 UTC");
    hserr_origin(old, sizeof(old) - 1, &second);
    assert_string_equal(second.jvm, "Java HotSpot(TM) Server VM (11.0-b15)");
    assert_string_equal(second.command, "Main");
    assert_string_equal(second.time, "Mon Jan  1 00:00:00 2010");
}

static const char LOG[] =
    "#\n"
    "# A fatal error has been detected by the Java Runtime Environment:\n"
    "#\n"
    "#  SIGSEGV (0xb) at pc=0x00007f25ff8e1f14, pid=4028, tid=4029\n"
    "#\n"
    "# JRE version: OpenJDK Runtime Environment (17.0.15+6) (build 17.0.15+6)\n"
    "# Java VM: OpenJDK 64-Bit Server VM (17.0.15+6, mixed mode)\n"
    "# Problematic frame:\n"
    "# C  [libzip.so+0x12d3]  newEntry+0x13\n"
    "#\n"
    "# Core dump will be written. Default location: /tmp/core.4028\n"
    "#\n"
    "\n"
    "---------------  S U M M A R Y ------------\n"
    "\n"
    "Command Line: -Xmx40m -Ddb.password=hunter2 Main --token=hunter2\n"
    "\n"
    "Time: Sun Nov 29 06:17:17 2026 UTC elapsed time: 5.46 seconds (0d 0h 0m 5s)\n"
    "\n"
    "---------------  T H R E A D  ---------------\n"
    "\n"
    "Current thread (0x00007f25f8012345):  JavaThread \"zip-1\" [_thread_in_native, id=4029, stack(0x0,0x1)]\n"
    "\n"
    "Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)\n"
    "C  [libzip.so+0x12d3]  newEntry+0x13\n"
    "C  [libzip.so+0x2000]\n"
    "\n"
    "Java frames: (J=compiled Java code, j=interpreted, Vv=VM code)\n"
    "j  java.util.zip.ZipFile.getEntry(J[BZ)J+0 java.base@17.0.15\n"
    "j  Main.main([Ljava/lang/String;)V+3\n"
    "\n"
    "siginfo: si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x10\n"
    "\n"
    "VM state: not at safepoint (normal execution)\n"
    "\n"
    "Heap:\n"
    " garbage-first heap   total 40960K, used 5687K\n"
    "\n"
    "VM Arguments:\n"
    "jvm_args: -Xmx40m -Ddb.password=hunter2 and hunter2 more\n"
    "java_command: Main --token=hunter2\n";

static void assert_piece(struct piece p, const char *text)
{
    assert_int_equal(p.size, strlen(text));
    assert_memory_equal(p.text, text, p.size);
}

static void the_facts_of_a_log(void **state)
{
    struct hserr_log log;

    (void)state;
    hserr_read(LOG, sizeof(LOG) - 1, &log);
    assert_piece(log.frame, "C  [libzip.so+0x12d3]  newEntry+0x13");
    assert_piece(log.core, "Core dump will be written. Default location: /tmp/core.4028");
    assert_piece(log.thread, "zip-1");
    assert_piece(log.vm_state, "not at safepoint");
    assert_piece(log.signal_info, "si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x10");
    assert_piece(log.elapsed, "5.46 seconds (0d 0h 0m 5s)");
    assert_piece(log.java_command, "Main --token=hunter2");
    assert_int_equal(log.native_frames.count, 2);
    assert_int_equal(log.java_frames.count, 2);
    assert_piece(log.java_frames.line[1], "j  Main.main([Ljava/lang/String;)V+3");
    assert_int_equal(log.heap.count, 1);
    assert_false(log.by_kill || log.heap.more);
}

static void stacks_without_an_empty_line_between_them(void **state)
{
    static const char text[] = "Native frames: (x)\nV  [libjvm.so+0x1]\nJava frames: (x)\nj  Oom.fill()V+5\nLock stack "
                               "of current Java thread (top to bottom):\n\n"
                               "VM state: x\n";
    struct hserr_log log;

    (void)state;
    hserr_read(text, sizeof(text) - 1, &log);
    assert_int_equal(log.native_frames.count, 1);
    assert_int_equal(log.java_frames.count, 1);
    assert_piece(log.vm_state, "x");
}

static void a_long_section_is_cut_and_says_so(void **state)
{
    static char text[100 * 2 + 16] = "Heap:\n";
    struct hserr_log log;

    (void)state;
    for (unsigned i = 0; i < 200; i++)
        text[strlen("Heap:\n") + i] = i % 2 ? '\n' : 'x';
    hserr_read(text, strlen(text), &log);
    assert_int_equal(log.heap.count, HSERR_LINES_MAX);
    assert_true(log.heap.more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_its_cause),
        cmocka_unit_test(jvm_command_and_time),
        cmocka_unit_test(the_facts_of_a_log),
        cmocka_unit_test(stacks_without_an_empty_line_between_them),
        cmocka_unit_test(a_long_section_is_cut_and_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
