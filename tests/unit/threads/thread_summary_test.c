/* SPDX-License-Identifier: Apache-2.0
 *
 * Sentences for thread dumps and crash logs.
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
#include "threads/hserr.h"
#include "threads/thread_summary.h"

#define HEAD "2026-11-29 20:50:18\nFull thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode, sharing):\n\n"
#define THREAD(name, state, frames)                                                                                    \
    "\"" name "\" #7 prio=5 tid=0x01 nid=0x02 whatever\n   java.lang.Thread.State: " state "\n" frames "\n"
#define CART "(a com.shop.Cart)\n"

static const char *of(const char *text)
{
    static struct summary s;

    s = (struct summary){0};
    return thread_summary(text, strlen(text), &s) == 0 ? s.sentence : "-";
}

static void the_worst_comes_first(void **state)
{
    (void)state;
    assert_string_equal(of(HEAD THREAD("pay-1", "BLOCKED (on object monitor)",
                                       "\tat com.shop.Cart.pay(Cart.java:1)\n\t- waiting to lock <0x01> " CART
                                       "\t- locked <0x02> " CART)
                               THREAD("pay-2", "BLOCKED (on object monitor)",
                                      "\tat com.shop.Cart.pay(Cart.java:1)\n\t- waiting to lock <0x02> " CART
                                      "\t- locked <0x01> " CART)),
                        "DEADLOCK of 2 threads: \"pay-1\", \"pay-2\"; 2 threads: 2 blocked");
    assert_string_equal(of(HEAD THREAD("a", "BLOCKED", "\tat A.b(A.java:1)\n\t- waiting to lock <0x01> " CART)
                               THREAD("b", "BLOCKED", "\tat A.b(A.java:1)\n\t- waiting to lock <0x01> " CART)
                                   THREAD("http-3", "RUNNABLE",
                                          "\tat java.util.HashMap.get(HashMap.java:1)\n"
                                          "\tat com.shop.Cart.add(Cart.java:61)\n\t- locked <0x01> " CART)),
                        "2 threads wait for Cart held by \"http-3\" at com.shop.Cart.add(Cart.java:61); "
                        "3 threads: 1 running, 2 blocked");
    assert_string_equal(of("# salvage: close to a limit\n" HEAD THREAD("a", "RUNNABLE", "\tat A.b(A.java:1)\n")),
                        "1 thread: 1 running");
    assert_string_equal(of("nothing"), "-");
}

#define CRASH(error)                                                                                                   \
    "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  " error "\n#\n"                      \
    "# JRE version: OpenJDK Runtime Environment (17.0.15+6) (build 17.0.15+6-Debian-1deb12u1)\n"                       \
    "# Java VM: OpenJDK 64-Bit Server VM (17.0.15+6-Debian-1deb12u1, mixed mode)\n"                                    \
    "# Problematic frame:\n# C  [libzip.so+0x12d3]  readCEN+0x5\n#\n# No core dump will be written.\n"

static void a_crash(void **state)
{
    static const char *const cases[][2] = {
        {CRASH(
             "SIGSEGV (0xb) at pc=0x00007fa41ef05f14, pid=7, tid=8") "Current thread (0x00007f2700017f40):  JavaThread "
                                                                     "\"main\" [_thread_in_native, id=8, "
                                                                     "stack(0x01,0x02)]\n"
                                                                     "VM state: not at safepoint (normal execution)\n",
         "SIGSEGV (0xb) in C  [libzip.so+0x12d3]  readCEN+0x5; thread \"main\"; VM not at safepoint; "
         "OpenJDK Runtime Environment (17.0.15+6)"},
        {CRASH(
             "SIGSEGV (0xb) at pc=0x00007fa41ef05f14 (sent by kill), pid=7, tid=8") "Current thread is native thread\n",
         "SIGSEGV (0xb), sent by kill in C  [libzip.so+0x12d3]  readCEN+0x5; thread \"native thread\"; "
         "OpenJDK Runtime Environment (17.0.15+6)"},
        {"#\n# There is insufficient memory for the Java Runtime Environment to continue.\n"
         "# Native memory allocation (mmap) failed to map 65536 bytes. Error detail: committing reserved memory.\n"
         "#  Out of Memory Error (os_linux.cpp:2843), pid=7, tid=8\n"
         "Current thread (0x00007f):  VMThread \"VM Thread\" [id=8]\nVM state: at safepoint (shutting down)\n",
         "Native memory allocation (mmap) failed to map 65536 bytes; thread \"VM Thread\"; VM at safepoint"},
    };
    struct summary s = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(hserr_summary(cases[i][0], strlen(cases[i][0]), &s), 0);
        assert_string_equal(s.sentence, cases[i][1]);
    }
    assert_int_equal(hserr_summary("words\n", 6, &s), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_comes_first),
        cmocka_unit_test(a_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
