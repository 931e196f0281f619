/* SPDX-License-Identifier: Apache-2.0
 *
 * Thread dumps of all formats: names, states, frames, locks and their owners. Whole dumps of real JVMs are in
 * tests/fuzz/corpus/thread_dump, and made anew in tests/e2e/test_threads.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "threads/thread_activity.h"
#include "threads/thread_dump.h"
#include "threads/thread_frame.h"

#define HEAD "2026-11-29 20:50:18\nFull thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode, sharing):\n\n"
#define MAIN                                                                                                           \
    "\"main\" #1 prio=5 os_prio=0 cpu=37.79ms elapsed=0.91s tid=0x00007f2700017f40 nid=0xe82 runnable  [0x00007f]\n"   \
    "   java.lang.Thread.State: RUNNABLE\n"                                                                            \
    "\tat java.io.FileInputStream.readBytes(java.base@17.0.15/Native Method)\n"                                        \
    "\tat java.io.BufferedInputStream.read(java.base@17.0.15/BufferedInputStream.java:263)\n"                          \
    "\t- locked <0x00000000ffd05870> (a java.io.BufferedInputStream)\n"                                                \
    "\tat Stuck.main(Stuck.java:145)\n\n"

static struct thread_dumps parse(const char *text)
{
    struct thread_dumps d = {0};
    struct err e = {0};

    assert_int_equal(thread_dumps_parse(text, strlen(text), &d, &e), 0);
    return d;
}

static const struct dumped_thread *named(const struct thread_dump *d, const char *name)
{
    for (size_t i = 0; i < d->thread_count; i++)
        if (strcmp(d->thread[i].name, name) == 0)
            return &d->thread[i];
    fail_msg("no thread \"%s\"", name);
    return NULL;
}

static const char *frame(const struct thread_dumps *all, const struct thread_dump *d, const struct dumped_thread *t,
                         uint32_t depth)
{
    assert_true(depth < t->frame_count);
    return all->text[d->frame[t->frame + depth]];
}

static void a_thread_of_hotspot(void **state)
{
    struct thread_dumps all = parse(HEAD MAIN "JNI global refs: 4, weak refs: 0\n");
    const struct thread_dump *d = &all.dump[0];
    const struct dumped_thread *t = named(d, "main");

    (void)state;
    assert_int_equal(all.count, 1);
    assert_string_equal(d->time, "2026-11-29 20:50:18");
    assert_string_equal(d->jvm, "OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode, sharing)");
    assert_int_equal(t->id, 1);
    assert_int_equal(t->native_id, 0xe82);
    assert_true(t->cpu_ms > 37.78 && t->cpu_ms < 37.8 && t->elapsed_ms > 909 && t->elapsed_ms < 911);
    assert_false(t->daemon);
    assert_int_equal(t->state, THREAD_RUNNABLE);
    assert_int_equal(t->frame_count, 3);
    assert_string_equal(frame(&all, d, t, 0), "java.io.FileInputStream.readBytes(Native Method)");
    assert_int_equal(t->held_count, 1);
    assert_int_equal(d->held[t->held].depth, 1);
    assert_string_equal(d->lock[d->held[t->held].lock].class_name, "java.io.BufferedInputStream");
    assert_int_equal(d->lock[d->held[t->held].lock].owner, 0);
    thread_dumps_done(&all);
}

/* Object.wait() gives the monitor back, which the frame below still shows as locked. */
static void who_waits_to_be_notified_owns_nothing(void **state)
{
    struct thread_dumps all =
        parse(HEAD "\"waiter\" #8 daemon prio=5 os_prio=0 tid=0x01 nid=0x50ef in Object.wait() [0x00]\n"
                   "   java.lang.Thread.State: WAITING (on object monitor)\n"
                   "\tat java.lang.Object.wait(Native Method)\n"
                   "\t- waiting on <0x00000000d0> (a java.lang.Object)\n"
                   "\tat Main$3.run(Main.java:50)\n"
                   "\t- locked <0x00000000d0> (a java.lang.Object)\n\n"
                   "\"back\" #9 daemon prio=5 os_prio=0 tid=0x02 nid=0x50f0 in Object.wait() [0x00]\n"
                   "   java.lang.Thread.State: BLOCKED (on object monitor)\n"
                   "\tat java.lang.Object.wait(Native Method)\n"
                   "\t- waiting on <0x00000000d0> (a java.lang.Object)\n"
                   "\tat Main$3.run(Main.java:50)\n"
                   "\t- locked <0x00000000d0> (a java.lang.Object)\n\n");

    (void)state;
    assert_int_equal(all.dump[0].lock_count, 1);
    assert_int_equal(all.dump[0].lock[0].owner, THREAD_NONE);
    assert_int_equal(named(&all.dump[0], "waiter")->wait, THREAD_AWAITS_NOTIFY);
    assert_int_equal(named(&all.dump[0], "back")->wait, THREAD_ENTERS); /* JDK 8 has the same words for both */
    thread_dumps_done(&all);
}

static void owners_of_synchronizers(void **state)
{
    static const char parked[] =
        "\"lock-1\" #14 prio=5 tid=0x03 nid=0xe96 waiting on condition  [0x00]\n"
        "   java.lang.Thread.State: WAITING (parking)\n"
        "\tat jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)\n"
        "\t- parking to wait for  <0x00000000e420> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)\n"
        "\tat Stuck.take(Stuck.java:66)\n\n";
    char text[4096];
    struct thread_dumps all;

    (void)state;
    snprintf(text, sizeof(text), HEAD "%s" MAIN "   Locked ownable synchronizers:\n\t- <0x00000000e420> (a X)\n\n",
             parked);
    all = parse(text);
    assert_int_equal(all.dump[0].lock[0].owner, 1);
    assert_int_equal(all.dump[0].held[all.dump[0].held_count - 1].depth, THREAD_NONE);
    thread_dumps_done(&all);

    /* Without -l they are known only where there is a deadlock. */
    snprintf(
        text, sizeof(text),
        HEAD
        "%s" MAIN "Found one Java-level deadlock:\n=============================\n\"lock-1\":\n"
        "  waiting for ownable synchronizer 0x00000000e420, (a java.util.concurrent.locks.ReentrantLock$NonfairSync),\n"
        "  which is held by \"main\"\n\nJava stack information for the threads listed above:\n"
        "===================================================\n\"lock-1\":\n\tat Stuck.take(Stuck.java:66)\n",
        parked);
    all = parse(text);
    assert_int_equal(all.dump[0].lock[0].owner, 1);
    assert_int_equal(all.dump[0].thread_count, 2);
    assert_int_equal(named(&all.dump[0], "lock-1")->frame_count, 2);
    thread_dumps_done(&all);
}

static void dumps_in_the_midst_of_a_log(void **state)
{
    struct thread_dumps all =
        parse("2026-11-29 20:50:17 INFO all is well\nFull of words\n" HEAD MAIN
              "\"VM Thread\" os_prio=0 cpu=3.01ms elapsed=0.90s tid=0x00007f270007b560 nid=0xe88 runnable  \n\n"
              "JNI global refs: 4, weak refs: 0\n\n"
              "java.lang.IllegalStateException: too late\n\tat com.shop.Late.run(Late.java:1)\n" HEAD
              "\"a \"quoted\" name\" #7 daemon prio=5 tid=0x05 nid=0xe99 runnable\n"
              "   java.lang.Thread.State: RUNNABLE\n\tat A.b(A.java:1)\n\n"
              "WARN 12\n\tat com.shop.Late.run(Late.java:1)\n");

    (void)state;
    assert_int_equal(all.count, 2);
    assert_int_equal(all.dump[0].thread_count, 2);
    assert_true(named(&all.dump[0], "VM Thread")->internal);
    assert_int_equal(named(&all.dump[0], "VM Thread")->frame_count, 0);
    assert_int_equal(all.dump[1].thread_count, 1);
    assert_true(named(&all.dump[1], "a \"quoted\" name")->daemon);
    assert_int_equal(all.dump[1].frame_count, 1);
    thread_dumps_done(&all);
}

static void lines_that_a_container_runtime_stamped(void **state)
{
    struct thread_dumps all =
        parse("2026-11-29T20:50:18.1Z 2026-11-29 20:50:18\n"
              "2026-11-29T20:50:18.12Z Full thread dump OpenJDK 64-Bit Server VM (25.181-b13 mixed mode):\n"
              "2026-11-29T20:50:18.123Z \n"
              "2026-11-29T20:50:18.123Z \"main\" #1 prio=5 os_prio=0 tid=0x01 nid=0xe82 runnable [0x00]\n"
              "2026-11-29T20:50:18.123Z    java.lang.Thread.State: RUNNABLE\n"
              "2026-11-29T20:50:18.123Z \tat Main.main(Main.java:1)\n"
              "2026-11-29T20:50:18.123Z stdout F \tat Main.more(Main.java:1)\n"
              "2026-11-29T20:50:18.123Z \n");

    (void)state;
    assert_int_equal(named(&all.dump[0], "main")->frame_count, 2);
    thread_dumps_done(&all);
}

static void dumps_to_a_file(void **state)
{
    static const char *const texts[] = {
        /* JDK 25 */
        "3849\n2026-11-29T20:50:20.947195271Z\n25.0.3+9-LTS\n\n"
        "#3 \"main\" RUNNABLE 2026-11-29T20:50:20.972949193Z\n"
        "    at java.base/java.lang.Object.wait0(Native Method)\n    - locked <Stuck$Cart@dfa5350>\n\n"
        "#64 \"order-3\" virtual BLOCKED 2026-11-29T20:50:20.984167194Z\n"
        "    at Stuck.touch(Stuck.java:22)\n    - waiting to lock <Stuck$Cart@dfa5350>\n\n",
        "{ \"threadDump\": { \"processId\": \"3849\", \"time\": \"2026-11-29T20:50:20.947195271Z\",\n"
        "\"runtimeVersion\": \"25.0.3+9-LTS\", \"threadContainers\": [ { \"container\": \"<root>\", \"parent\": null,\n"
        "\"threads\": [ { \"tid\": \"3\", \"time\": \"2026\", \"name\": \"main\", \"state\": \"RUNNABLE\",\n"
        "\"stack\": [\"java.base\\/java.lang.Object.wait0(Native Method)\"], \"monitorsOwned\": [ { \"depth\": 0,\n"
        "\"locks\": [\"Stuck$Cart@dfa5350\"] } ] }, { \"tid\": \"64\", \"virtual\": true, \"name\": "
        "\"order\\u002d3\",\n"
        "\"state\": \"BLOCKED\", \"blockedOn\": \"Stuck$Cart@dfa5350\", \"stack\": [\"Stuck.touch(Stuck.java:22)\"] } "
        "],\n"
        "\"threadCount\": \"2\" } ] } }\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct thread_dumps all = parse(texts[i]);
        const struct thread_dump *d = &all.dump[0];
        const struct dumped_thread *t = named(d, "order-3");

        assert_true(thread_dumps_probe(texts[i], strlen(texts[i])));
        assert_null(all.cut);
        assert_string_equal(d->time, "2026-11-29T20:50:20.947195271Z");
        assert_string_equal(d->jvm, "25.0.3+9-LTS");
        assert_int_equal(d->thread_count, 2);
        assert_string_equal(frame(&all, d, named(d, "main"), 0), "java.lang.Object.wait0(Native Method)");
        assert_int_equal(t->id, 64);
        assert_true(t->is_virtual);
        assert_int_equal(t->state, THREAD_BLOCKED);
        assert_int_equal(t->wait, THREAD_ENTERS);
        assert_string_equal(d->lock[t->lock].class_name, "Stuck$Cart");
        assert_int_equal(d->lock[t->lock].owner, 0);
        thread_dumps_done(&all);
    }
}

static void a_cut_json_gives_what_there_is(void **state)
{
    struct thread_dumps all =
        parse("{\"threadDump\": {\"threadContainers\": [{\"threads\": [{\"tid\": 3, \"name\": \"main\"");

    (void)state;
    assert_non_null(all.cut);
    assert_int_equal(named(&all.dump[0], "main")->id, 3);
    thread_dumps_done(&all);
}

static void javacores_name_owners(void **state)
{
    struct thread_dumps all =
        parse("0SECTION       TITLE subcomponent dump routine\n1TIDATETIME    Date: 2026/04/04 at 10:39:09:996\n"
              "1CIJAVAVERSION JRE 17 Linux amd64-64\n"
              "3LKMONOBJECT       java/lang/Object@0x00000000E000FFF8: Flat locked by \"T 3\" "
              "(J9VMThread:0x0000000000FD0100), entry count 1\n"
              "0SECTION       THREADS subcomponent dump routine\n"
              "3XMTHREADINFO      \"T 1\" J9VMThread:0x0000000000FC0100, omrthread_t:0x00, java/lang/Thread:0x00, "
              "state:B, prio=5\n"
              "3XMJAVALTHREAD            (java/lang/Thread getId:0x11, isDaemon:true)\n"
              "3XMCPUTIME               CPU usage total: 0.002 secs, current category=\"Application\"\n"
              "3XMTHREADBLOCK     Blocked on: java/lang/Integer@0x00000000E000FF10 Owned by: \"T 2\" (J9VMThread:0x00, "
              "java/lang/Thread:0x00)\n"
              "4XESTACKTRACE                at com/shop/Cart.sync(Cart.java:32(Compiled Code))\n"
              "3XMTHREADINFO      \"T 2\" J9VMThread:0x0000000000FD0100, omrthread_t:0x00, java/lang/Thread:0x00, "
              "state:P, prio=5\n"
              "3XMTHREADBLOCK     Parked on: java/util/concurrent/locks/ReentrantLock$NonfairSync@0x00000000E0 Owned "
              "by: <unknown>\n"
              "3XMTHREADINFO      \"T 3\" J9VMThread:0x0000000000FD0200, omrthread_t:0x00, java/lang/Thread:0x00, "
              "state:R, prio=5\n"
              "1XMTHDSUMMARY  Threads CPU Usage Summary\n4XESTACKTRACE                at nothing.of(Theirs)\n");
    const struct thread_dump *d = &all.dump[0];
    const struct dumped_thread *t = named(d, "T 1");

    (void)state;
    assert_string_equal(d->time, "2026/04/04 at 10:39:09:996");
    assert_string_equal(d->jvm, "JRE 17 Linux amd64-64");
    assert_int_equal(t->id, 0x11);
    assert_true(t->daemon && t->cpu_ms > 1.9 && t->cpu_ms < 2.1);
    assert_int_equal(t->state, THREAD_BLOCKED);
    assert_string_equal(frame(&all, d, t, 0), "com.shop.Cart.sync(Cart.java:32)");
    assert_int_equal(d->lock[t->lock].owner, 1);
    assert_int_equal(named(d, "T 2")->wait, THREAD_PARKS);
    assert_int_equal(d->lock[0].owner, 2);
    assert_int_equal(d->frame_count, 1);
    thread_dumps_done(&all);
}

static void frames_lose_modules_loaders_and_addresses(void **state)
{
    static const char *const frames[][2] = {
        {"java.lang.Thread.run(java.base@17.0.15/Thread.java:840)", "java.lang.Thread.run(Thread.java:840)"},
        {"java.base/java.lang.Thread.run(Thread.java:840)", "java.lang.Thread.run(Thread.java:840)"},
        {"app//com.shop.Cart.add(Cart.java:61)", "com.shop.Cart.add(Cart.java:61)"},
        {"app/shop@1.0/com.shop.Cart.add(Cart.java:61)", "com.shop.Cart.add(Cart.java:61)"},
        {"Stuck$$Lambda/0x0000000009041000.run(Unknown Source)", "Stuck$$Lambda.run(Unknown Source)"},
        {"Stuck$$Lambda$1/0x00007f2694001000.run(Unknown Source)", "Stuck$$Lambda$1.run(Unknown Source)"},
        {"java/lang/Object.wait(Native Method)", "java.lang.Object.wait(Native Method)"},
        {"com/shop/Cart.sync(Cart.java:32(Compiled Code))", "com.shop.Cart.sync(Cart.java:32)"},
        {"nothing known", "nothing known"},
        {"a(", "a()"},
        {"", ""},
    };
    char out[THREAD_TEXT_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
        out[thread_frame_clean(frames[i][0], strlen(frames[i][0]), out)] = '\0';
        assert_string_equal(out, frames[i][1]);
    }
}

static void what_a_thread_does(void **state)
{
    static const struct {
        const char *stack, *state;
        enum thread_activity expected;
    } cases[] = {
        {"\tat com.shop.Cart.add(Cart.java:1)\n", "RUNNABLE", THREAD_RUNS},
        {"\tat java.net.SocketInputStream.socketRead0(Native Method)\n\tat com.shop.A.b(A.java:1)\n", "RUNNABLE",
         THREAD_IN_IO},
        {"\tat sun.nio.ch.EPoll.wait(java.base@17/Native Method)\n\tat sun.nio.ch.SelectorImpl.select(S.java:1)\n",
         "RUNNABLE", THREAD_IDLE},
        {"\tat jdk.internal.misc.Unsafe.park(Native Method)\n"
         "\tat java.util.concurrent.ThreadPoolExecutor.getTask(T.java:1)\n",
         "WAITING (parking)", THREAD_IDLE},
        {"\tat java.lang.Thread.sleep(Native Method)\n\tat com.shop.A.b(A.java:1)\n", "TIMED_WAITING (sleeping)",
         THREAD_SLEEPS},
        {"\tat jdk.internal.misc.Unsafe.park(Native Method)\n\t- parking to wait for  <0x01> (a "
         "java.util.concurrent.CountDownLatch$Sync)\n\tat com.shop.A.b(A.java:1)\n",
         "WAITING (parking)", THREAD_WAITS},
        {"\tat jdk.internal.misc.Unsafe.park(Native Method)\n\t- parking to wait for  <0x01> (a "
         "java.util.concurrent.locks.ReentrantLock$FairSync)\n\tat com.shop.A.b(A.java:1)\n",
         "WAITING (parking)", THREAD_IS_BLOCKED},
        {"\tat Main.run(Main.java:1)\n\t- waiting on the Class initialization monitor for com.shop.Config\n",
         "RUNNABLE", THREAD_IS_BLOCKED},
        {"", "RUNNABLE", THREAD_OTHER},
    };
    char text[2048];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct thread_dumps all;

        snprintf(text, sizeof(text),
                 HEAD "\"x\" #1 prio=5 tid=0x01 nid=0x02 whatever\n   java.lang.Thread.State: %s\n%s\n", cases[i].state,
                 cases[i].stack);
        all = parse(text);
        assert_int_equal(thread_activity_of(&all, &all.dump[0], &all.dump[0].thread[0]), cases[i].expected);
        thread_dumps_done(&all);
    }
}

static void what_is_no_thread_dump(void **state)
{
    static const char *const texts[] = {"",
                                        "words",
                                        "Full thread dump of nothing",
                                        "{\"threadDump\": 1}",
                                        "#1 \"x\"",
                                        "\"main\" #1 prio=5 tid=0x01 nid=0x02 runnable\n"};
    struct thread_dumps d;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts) - 2; i++)
        assert_int_equal(thread_dumps_parse(texts[i], strlen(texts[i]), &d, &e), -FAULT_FORMAT);
    for (size_t i = 0; i < 2; i++)
        assert_false(thread_dumps_probe(texts[i], strlen(texts[i])));
    assert_false(thread_dumps_probe("Full thread dump \0x", 19));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_of_hotspot),
        cmocka_unit_test(who_waits_to_be_notified_owns_nothing),
        cmocka_unit_test(owners_of_synchronizers),
        cmocka_unit_test(dumps_in_the_midst_of_a_log),
        cmocka_unit_test(lines_that_a_container_runtime_stamped),
        cmocka_unit_test(dumps_to_a_file),
        cmocka_unit_test(a_cut_json_gives_what_there_is),
        cmocka_unit_test(javacores_name_owners),
        cmocka_unit_test(frames_lose_modules_loaders_and_addresses),
        cmocka_unit_test(what_a_thread_does),
        cmocka_unit_test(what_is_no_thread_dump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
