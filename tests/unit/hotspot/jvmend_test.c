/* SPDX-License-Identifier: Apache-2.0
 *
 * The record of a JVM's end: what is bad, what it says, and that it is read back as it was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/jvmend.h"
#include "hsperf_make.h"

enum { EXIT_1 = 1 << 8, BYTE = 8 };

static void an_end_on_request_is_not_bad(void **state)
{
    static const struct {
        int status;
        bool bad;
    } table[] = {{0, false},           {EXIT_1, true},        {SIGKILL, true},      {SIGABRT, true},
                 {137 << BYTE, true},  {SIGTERM, false},      {143 << BYTE, false}, {130 << BYTE, false},
                 {129 << BYTE, false}, {JVMEND_UNKNOWN, true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        assert_int_equal(jvmend_is_bad(table[i].status), table[i].bad);
}

static int64_t number_at(json_t *root, const char *object, const char *name)
{
    json_t *n = json_object_get(json_object_get(root, object), name);

    assert_true(json_is_integer(n));
    return (int64_t)json_integer_value(n);
}

static void the_last_counters_are_kept_and_no_command_line(void **state)
{
    struct hsperf_made m = hsperf_make(false);
    struct jvmend end = {.pid = 7, .command = "java -jar app.jar", .version = "17", .ended_ns = 1, .status = SIGKILL};
    CLEANUP(buf_done) struct buf record = {0};
    struct origin origin = {0};
    struct hsperf h;
    json_t *root;

    (void)state;
    hsperf_make_long(&m, "java.threads.live", 12);
    hsperf_make_long(&m, "java.threads.livePeak", 40);
    hsperf_make_long(&m, "java.cls.loadedClasses", 300);
    hsperf_make_string(&m, "sun.gc.lastCause", "Allocation Failure", 64);
    hsperf_make_string(&m, "sun.rt.javaCommand", "app.jar --password=hunter2", 64);
    assert_int_equal(hsperf_init(&h, m.data, m.size), 0);
    end.counters = &h;
    assert_int_equal(jvmend_write(&end, &record), 0);
    assert_memory_equal(buf_text(&record), JVMEND_BEGINS, strlen(JVMEND_BEGINS));
    assert_null(strstr(buf_text(&record), "hunter2"));
    root = json_loadb(buf_text(&record), record.size, 0, NULL);
    assert_non_null(root);
    assert_int_equal(number_at(root, "ended", "status"), 137);
    assert_int_equal(number_at(root, "threads", "live"), 12);
    assert_int_equal(number_at(root, "threads", "livePeak"), 40);
    assert_int_equal(number_at(root, "counters", "java.cls.loadedClasses"), 300);
    assert_non_null(strstr(buf_text(&record), "Allocation Failure"));
    json_decref(root);
    jvmend_origin(buf_text(&record), record.size, &origin);
    assert_string_equal(origin.cause, CAUSE_SIGNAL);
    assert_string_equal(origin.detail, "SIGKILL");
    assert_string_equal(origin.command, "java -jar app.jar");
    assert_int_equal(origin.pid, 7);
}

static void an_unknown_end_without_counters_says_what_there_is(void **state)
{
    struct jvmend end = {.pid = 1, .command = "", .version = "", .ended_ns = 1, .status = JVMEND_UNKNOWN};
    CLEANUP(buf_done) struct buf record = {0};
    struct origin origin = {0};

    (void)state;
    assert_int_equal(jvmend_write(&end, &record), 0);
    assert_null(strstr(buf_text(&record), "\"status\""));
    assert_null(strstr(buf_text(&record), "\"counters\""));
    jvmend_origin(buf_text(&record), record.size, &origin);
    assert_string_equal(origin.cause, CAUSE_UNKNOWN);
    assert_string_equal(origin.command, "");
}

static void what_is_no_record_says_nothing(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "{\"ended\": 1}",
                                        "{\"ended\": {\"why\": \"../x\"}, \"pid\": -1}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct origin origin = {0};

        jvmend_origin(texts[i], strlen(texts[i]), &origin);
        assert_true(!*origin.cause || strcmp(origin.cause, CAUSE_UNKNOWN) == 0);
        assert_int_equal(origin.pid, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_on_request_is_not_bad),
        cmocka_unit_test(the_last_counters_are_kept_and_no_command_line),
        cmocka_unit_test(an_unknown_end_without_counters_says_what_there_is),
        cmocka_unit_test(what_is_no_record_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
