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
        const char *cause, *kind, *detail, *container, *sentence;
    } rows[] = {
        {"java-oom", "heap-dump", "java/lang/OutOfMemoryError: Java heap space", "cart",
         "The JVM in cart ran out of Java heap."},
        {"java-oom", "heap-dump", NULL, "cart", "The JVM in cart ran out of memory."},
        {"java-oom", "heap-dump", "java/lang/OutOfMemoryError", NULL, "The JVM ran out of memory."},
        {"java-oom", "javacore", "java/lang/OutOfMemoryError: Metaspace", "cart",
         "The JVM in cart ran out of metaspace: it loaded more classes than the limit has room for."},
        {"native-oom", "hs-err", "Out of Memory Error (os_linux.cpp:2749)", "cart",
         "The JVM in cart ended: the system gave it no more memory."},
        {"oom-kill", "oom-kill", NULL, "cart", "The kernel killed a process of cart: out of memory."},
        {"oom-kill", "oom-kill", "java, 512 MiB", NULL, "The kernel killed a process: out of memory; java, 512 MiB."},
        {"signal", "hs-err", "SIGSEGV (0xb)", "cart",
         "The JVM in cart crashed: SIGSEGV (0xb), an invalid memory access."},
        {"signal", "core", "SIGABRT (6)", NULL, "A process was ended by a signal: SIGABRT (6), it aborted itself."},
        {"signal", "core", "SIGUSR1 (10)", "cart", "A process of cart was ended by a signal: SIGUSR1 (10)."},
        {"signal", "jvm-end", "SIGKILL (9)", NULL,
         "The JVM was ended by a signal and left nothing behind: SIGKILL (9), killed from outside."},
        {"assert", "hs-err", "guarantee(false) failed", "cart",
         "The JVM in cart found an error in itself and stopped: guarantee(false) failed."},
        {"exception", "javacore", "java/lang/IllegalStateException", "cart",
         "The JVM in cart left a dump for an exception, as configured: java/lang/IllegalStateException."},
        {"exit", "jvm-end", NULL, "cart", "The JVM in cart ended by itself and left nothing behind."},
        {"pressure", "thread-dump", NULL, "cart",
         "cart came close to a limit: evidence was taken before it was reached."},
        {"prestop", "heap-dump", NULL, "cart", "cart was about to be stopped: evidence was taken before."},
        {"user", "heap-dump", NULL, NULL, "Heap dump, requested by a user."},
        {"manual", "core", NULL, "cart", "Core dump of cart, taken by hand."},
        {"unknown", "jvm-end", NULL, "cart", "The JVM in cart ended and left nothing behind."},
        {"unknown", "heap-dump", NULL, NULL, "Heap dump, cause unknown."},
        {NULL, NULL, NULL, "cart", "File of cart, cause unknown."},
        {"something-new", "something", "42", NULL, "something, cause: something-new: 42."},
        {"assert", "core", "ends with a stop.", NULL,
         "The JVM found an error in itself and stopped: ends with a stop."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct manifest m = {.cause = TEXT(rows[i].cause),
                             .kind = TEXT(rows[i].kind),
                             .where.container = TEXT(rows[i].container),
                             .origin.detail = TEXT(rows[i].detail)};
        char out[WHY_MAX];

        assert_string_equal(why_sentence(&m, out), rows[i].sentence);
    }
}

static void who_it_was_is_container_else_pod_else_place(void **state)
{
    struct manifest m = {.cause = TEXT("pressure"),
                         .where.container = TEXT("cart"),
                         .where.pod = TEXT("cart-7f9c"),
                         .where.place = TEXT("host/db1")};
    char out[WHY_MAX];

    (void)state;
    assert_non_null(strstr(why_sentence(&m, out), "cart came"));
    m.where.container = NULL;
    assert_non_null(strstr(why_sentence(&m, out), "cart-7f9c came"));
    m.where.pod = NULL;
    assert_non_null(strstr(why_sentence(&m, out), "host/db1 came"));
}

static void a_record_of_a_kill_says_more_than_what_was_taken_before(void **state)
{
    static const struct {
        const char *json, *sentence;
    } rows[] = {
        {"{\"schema\":\"salvage.oom-kill/1\",\"why\":\"limit\",\"process\":{\"name\":\"java\",\"rss\":503316480},"
         "\"memory\":{\"limit\":536870912}}",
         "The kernel killed java in cart: the container reached its memory limit of 512.0 MiB; the process held 480.0 "
         "MiB."},
        {"{\"schema\":\"salvage.oom-kill/1\",\"why\":\"parent-limit\",\"memory\":{\"limit\":1073741824}}",
         "The kernel killed a process in cart: a cgroup above its container reached its memory limit of 1.0 GiB."},
        {"{\"schema\":\"salvage.oom-kill/1\",\"why\":\"machine\",\"machine\":{\"ram\":68719476736}}",
         "The kernel killed a process in cart: the machine ran out of its memory of 64.0 GiB."},
        {"{\"schema\":\"salvage.oom-kill/1\",\"why\":\"cpuset\"}",
         "The kernel killed a process in cart: the NUMA nodes that it may use were full."},
        {"{\"schema\":\"salvage.oom-kill/1\"}", "The kernel killed a process in cart: out of memory."},
        {"{\"schema\":\"another/1\",\"why\":\"limit\"}",
         "cart came close to a limit: evidence was taken before it was reached."},
        {"[", "cart came close to a limit: evidence was taken before it was reached."},
    };
    struct manifest m = {.cause = TEXT("pressure"), .where.container = TEXT("cart")};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct why_kill kill = {0};
        char out[WHY_MAX];

        why_read_kill(rows[i].json, strlen(rows[i].json), &kill);
        assert_string_equal(why_sentence_of_kill(&m, &kill, out), rows[i].sentence);
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
    assert_true(strlen(out) > 190 && strlen(out) < WHY_MAX);
    for (size_t at = 0, size; out[at]; at += size)
        assert_true((size = text_utf8_length(out + at, strlen(out + at))) > 0);
    m.origin.detail = TEXT("a\nb\x1b[31m");
    why_sentence(&m, out);
    assert_null(strpbrk(out, "\n\x1b"));
}

static void the_exit_code_is_the_one_of_the_containers_status(void **state)
{
    static const struct {
        const char *cause, *kind, *detail;
        unsigned code;
    } rows[] = {
        {"oom-kill", "oom-kill", NULL, 137},
        {"pressure", "oom-kill", NULL, 137},
        {"pressure", "heap-dump", NULL, 0},
        {"signal", "core", "SIGSEGV (11)", 139},
        {"signal", "core", "SIGABRT (6)", 134},
        {"signal", "jvm-end", "SIGTERM (15)", 143},
        {"signal", "hs-err", "SIGSEGV (0xb)", 134},
        {"assert", "hs-err", "guarantee(false) failed", 134},
        {"signal", "core", "SIGSEGV", 0},
        {"signal", "core", "SIGSEGV (999)", 0},
        {"java-oom", "heap-dump", "SIGSEGV (11)", 0},
        {"signal", "core", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct manifest m = {.cause = TEXT(rows[i].cause), .kind = TEXT(rows[i].kind)};

        m.origin.detail = TEXT(rows[i].detail);
        assert_int_equal(why_exit_code(&m), rows[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_has_its_sentence),
        cmocka_unit_test(who_it_was_is_container_else_pod_else_place),
        cmocka_unit_test(a_record_of_a_kill_says_more_than_what_was_taken_before),
        cmocka_unit_test(the_exit_code_is_the_one_of_the_containers_status),
        cmocka_unit_test(long_and_hostile_details_stay_one_short_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
