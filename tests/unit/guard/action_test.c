/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of actions: items, times, arguments, commas, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "guard/action.h"

static void an_action_is_a_name_a_time_and_an_argument(void **state)
{
    static const struct {
        const char *text;
        enum action_kind kind;
        uint64_t limit_ms;
        const char *argument, *printed;
    } rows[] = {
        {"stats", ACTION_STATS, 5000, "", "stats"},
        {"histogram", ACTION_HISTOGRAM, 30000, "", "histogram"},
        {"threads", ACTION_THREADS, 10000, "", "threads"},
        {"native", ACTION_NATIVE, 10000, "", "native"},
        {"heap-dump", ACTION_HEAP_DUMP, 600000, "", "heap-dump"},
        {"core", ACTION_CORE, 600000, "", "core"},
        {"heap-dump@60s", ACTION_HEAP_DUMP, 60000, "", "heap-dump@60s"},
        {"heap-dump@10m", ACTION_HEAP_DUMP, 600000, "", "heap-dump"},
        {"stats@1.5s", ACTION_STATS, 1500, "", "stats@1500ms"},
        {"stats@100ms", ACTION_STATS, 100, "", "stats@100ms"},
        {"core@24h", ACTION_CORE, 86400000, "", "core@86400s"},
        {"core@pause=100ms", ACTION_CORE, 600000, "", "core"},
        {"core@10m@pause=1s", ACTION_CORE, 600000, "", "core@pause=1s"},
        {"core@pause=1500ms@30s", ACTION_CORE, 30000, "", "core@30s@pause=1500ms"},
        {"get:http://127.0.0.1:6060/debug/pprof/heap", ACTION_GET, 30000, "http://127.0.0.1:6060/debug/pprof/heap",
         NULL},
        {"get@5s:https://[::1]/a@b?c=d@e#f:g", ACTION_GET, 5000, "https://[::1]/a@b?c=d@e#f:g", NULL},
        {"get:http://h/a\\,b", ACTION_GET, 30000, "http://h/a,b", NULL},
        {"exec:gcore -o /tmp/x 1", ACTION_EXEC, 60000, "gcore -o /tmp/x 1", NULL},
        {"exec@5s:mail a@b.c: now@7s", ACTION_EXEC, 5000, "mail a@b.c: now@7s", NULL},
        {"exec: cut -d\\, -f1\\,2 ", ACTION_EXEC, 60000, "cut -d, -f1,2", "exec:cut -d\\, -f1\\,2"},
        {"exec:printf 'a\\n\\\\b'", ACTION_EXEC, 60000, "printf 'a\\n\\\\b'", NULL},
        {"exec:a\\\\,b", ACTION_EXEC, 60000, "a\\,b", NULL},
        {"exec:a\\", ACTION_EXEC, 60000, "a\\", NULL},
        {" \tstats  ", ACTION_STATS, 5000, "", "stats"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct actions list = {.count = 0};
        char text[ACTION_TEXT_MAX];
        struct err e = {0};

        if (action_add(rows[i].text, &list, &e) < 0)
            fail_msg("%s: %s", rows[i].text, e.msg);
        assert_int_equal(list.count, 1);
        assert_int_equal(list.item[0].kind, rows[i].kind);
        assert_int_equal(list.item[0].limit_ms, rows[i].limit_ms);
        assert_string_equal(list.item[0].argument, rows[i].argument);
        assert_false(list.item[0].live);
        assert_string_equal(action_print(&list.item[0], text), rows[i].printed ? rows[i].printed : rows[i].text);
    }
}

static void a_core_has_a_pause(void **state)
{
    static const struct {
        const char *text;
        uint64_t pause_ms;
    } rows[] = {{"core", 100},       {"core@30s", 100},         {"core@pause=250ms", 250},
                {"core@pause=0", 0}, {"core@pause=60s", 60000}, {"core@30s@pause=1s", 1000},
                {"stats", 0},        {"heap-dump@10s", 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct actions list = {.count = 0};

        assert_int_equal(action_add(rows[i].text, &list, NULL), 0);
        assert_int_equal(list.item[0].pause_ms, rows[i].pause_ms);
    }
}

static void order_and_repetition_are_kept(void **state)
{
    struct actions list = {.count = 0};

    (void)state;
    assert_int_equal(action_add("stats, heap-dump@60s:live,exec:a\\,b,stats", &list, NULL), 0);
    assert_int_equal(action_add(ACTION_DEFAULT, &list, NULL), 0);
    assert_int_equal(list.count, 8);
    assert_int_equal(list.item[0].kind, ACTION_STATS);
    assert_int_equal(list.item[1].kind, ACTION_HEAP_DUMP);
    assert_true(list.item[1].live);
    assert_int_equal(list.item[1].limit_ms, 60000);
    assert_string_equal(list.item[2].argument, "a,b");
    assert_int_equal(list.item[3].kind, ACTION_STATS);
    assert_false(list.item[7].live);
    assert_int_equal(list.item[7].kind, ACTION_HEAP_DUMP);
}

static void a_wrong_list_adds_nothing(void **state)
{
    struct actions list = {.count = 0};
    struct err e = {0};

    (void)state;
    assert_int_equal(action_add("stats,core", &list, NULL), 0);
    assert_int_equal(action_add("threads,native,hist@", &list, &e), -FAULT_USAGE);
    assert_int_equal(list.count, 2);
    for (int i = 2; i < ACTION_MAX; i++)
        assert_int_equal(action_add("core", &list, NULL), 0);
    assert_int_equal(action_add("core", &list, &e), -FAULT_USAGE);
    assert_string_equal(e.msg, "more than 16 actions");
    assert_int_equal(list.count, ACTION_MAX);
}

static void a_signal_has_a_name_or_a_number(void **state)
{
    static const struct {
        const char *text;
        int number;
        const char *printed;
    } rows[] = {
        {"signal:USR2", SIGUSR2, "signal:USR2"},  {"signal:SIGUSR1", SIGUSR1, "signal:USR1"},
        {"signal:12", 12, "signal:USR2"},         {"signal:QUIT", SIGQUIT, "signal:QUIT"},
        {"signal:16", 16, "signal:16"},           {"signal:RTMIN", 34, "signal:RTMIN+0"},
        {"signal:RTMIN+3", 37, "signal:RTMIN+3"}, {"signal:SIGRTMIN+30", 64, "signal:RTMIN+30"},
        {"signal:64", 64, "signal:RTMIN+30"},     {"signal@1s:TERM", SIGTERM, "signal@1s:TERM"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct actions list = {.count = 0};
        char text[ACTION_TEXT_MAX];

        assert_int_equal(action_add(rows[i].text, &list, NULL), 0);
        assert_int_equal(list.item[0].signal, rows[i].number);
        assert_string_equal(action_print(&list.item[0], text), rows[i].printed);
    }
}

static void what_is_wrong_is_named_with_what_would_be_right(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", "an action is empty"},
        {"stats,", "an action is empty"},
        {",stats", "an action is empty"},
        {"stats,,core", "an action is empty"},
        {"heapdump", "no action \"heapdump\": did you mean heap-dump?"},
        {"heap", "did you mean heap-dump?"},
        {"hist", "did you mean histogram?"},
        {"thread", "did you mean threads?"},
        {"Stats", "did you mean stats?"},
        {"screenshot", "but stats, histogram"},
        {"exec:cut -d, -f1", "no action \"-f1\""},
        {"exec:cut -d, -f1", "in which \\, is a comma"},
        {"@5s", "no action \"\""},
        {":live", "no action \"\""},
        {"a-name-that-is-longer-than-any-action-is", "no action \"a-name-that"},
        {"stats@", "\"stats@\": not a time from 100ms to 24h: for example stats@30s"},
        {"stats@0", "not a time"},
        {"stats@99ms", "not a time"},
        {"stats@25h", "not a time"},
        {"stats@soon", "not a time"},
        {"stats@1@2", "the time is given twice"},
        {"core@pause=1s@pause=2s", "the pause is given twice"},
        {"core@pause=", "not a pause from 0 to 60s: for example core@pause=100ms"},
        {"core@pause=61s", "not a pause"},
        {"core@pause=long", "not a pause"},
        {"core@10s@", "the time is given twice"},
        {"core@@pause=1s", "not a time"},
        {"heap-dump@pause=100ms", "only core has a pause"},
        {"threads@5s@pause=1s", "only core has a pause"},
        {"stats@1111111111111111111111111111111111111111111111111111111111111111", "too long"},
        {"stats:all", "stats takes nothing behind a ':'"},
        {"core:", "core takes nothing"},
        {"heap-dump:all", "did you mean heap-dump:live?"},
        {"heap-dump:", "did you mean heap-dump:live?"},
        {"heap-dump:live@60s", "the time stands behind the name: heap-dump@60s:live"},
        {"get", "write get:URL"},
        {"get:", "write get:URL"},
        {"get@5s", "write get:URL"},
        {"get:localhost:6060", "write get:http://HOST/"},
        {"get:file:///etc/shadow", "write get:http://HOST/"},
        {"get:HTTP://x/", "write get:http://HOST/"},
        {"get:http://", "no host"},
        {"get:http:///x", "no host"},
        {"get:http://?x", "no host"},
        {"get:http://u:secret@h/", "remove it"},
        {"get:http://h/a b", "%20"},
        {"get:http://h/\x01", "control character"},
        {"exec", "write exec:COMMAND"},
        {"exec: ", "write exec:COMMAND"},
        {"exec:a\nb", "control character"},
        {"signal", "write signal:NAME"},
        {"signal:", "write signal:NAME"},
        {"signal:USR3", "there is no such signal"},
        {"signal:usr2", "there is no such signal"},
        {"signal:0", "there is no such signal"},
        {"signal:32", "there is no such signal"},
        {"signal:33", "there is no such signal"},
        {"signal:65", "there is no such signal"},
        {"signal:RTMIN+31", "there is no such signal"},
        {"signal:-9", "there is no such signal"},
        {"signal:KILL", "no process can handle that signal"},
        {"signal:9", "no process can handle that signal"},
        {"signal:SIGSTOP", "no process can handle that signal"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct actions list = {.count = 0};
        struct err e = {0};

        assert_int_equal(action_add(rows[i].text, &list, &e), -FAULT_USAGE);
        if (!strstr(e.msg, rows[i].expected))
            fail_msg("%s: %s", rows[i].text, e.msg);
        assert_null(strchr(e.msg, '\n'));
        assert_null(strstr(e.msg, "secret"));
        assert_int_equal(list.count, 0);
    }
}

static void an_argument_may_have_up_to_1023_bytes(void **state)
{
    char text[2 * ACTION_ARGUMENT_MAX + 8] = "exec:", printed[ACTION_TEXT_MAX];
    struct actions list = {.count = 0};

    (void)state;
    for (size_t i = 0; i < ACTION_ARGUMENT_MAX - 1; i++)
        memcpy(text + 5 + 2 * i, "\\,", 3);
    assert_int_equal(action_add(text, &list, NULL), 0);
    assert_int_equal(strlen(list.item[0].argument), ACTION_ARGUMENT_MAX - 1);
    assert_string_equal(action_print(&list.item[0], printed), text);
    memcpy(text + strlen(text), "x", 2);
    assert_int_equal(action_add(text, &list, NULL), -FAULT_USAGE);
}

static void the_table_of_words_tells_the_truth(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ACTION_KINDS; i++) {
        assert_true(text_starts(ACTION_WORDS[i].form, ACTION_WORDS[i].name));
        assert_true(ACTION_WORDS[i].limit_ms > 0);
        assert_true(*ACTION_WORDS[i].help);
    }
    assert_null(ACTION_WORDS[ACTION_KINDS].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_is_a_name_a_time_and_an_argument),
        cmocka_unit_test(a_core_has_a_pause),
        cmocka_unit_test(order_and_repetition_are_kept),
        cmocka_unit_test(a_wrong_list_adds_nothing),
        cmocka_unit_test(a_signal_has_a_name_or_a_number),
        cmocka_unit_test(what_is_wrong_is_named_with_what_would_be_right),
        cmocka_unit_test(an_argument_may_have_up_to_1023_bytes),
        cmocka_unit_test(the_table_of_words_tells_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
