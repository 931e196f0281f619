/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters made here as columns: the formulas, the roundings, and what a JVM doesn't have. That they are jstat's is
 * shown beside the JDK's own (tests/e2e/test_jvm_stat.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/jstat.h"
#include "hsperf_make.h"

static const char GENERATION[] = "sun.gc.generation.";

static struct hsperf read_back(const struct hsperf_made *m)
{
    struct hsperf h;

    assert_int_equal(hsperf_init(&h, m->data, m->size), 0);
    return h;
}

/* Words of a line, at single spaces. */
static void assert_words(struct buf *line, const char *expected)
{
    char words[1024] = "", *save = NULL;

    for (char *word = strtok_r(line->data, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
        strncat(words, word, sizeof(words) - strlen(words) - 1);
        strncat(words, " ", sizeof(words) - strlen(words) - 1);
    }
    assert_string_equal(words, expected);
}

static void add_space(struct hsperf_made *m, const char *space, int64_t capacity, int64_t used)
{
    char name[64];

    snprintf(name, sizeof(name), "%s%s.capacity", GENERATION, space);
    hsperf_make_long(m, name, capacity);
    snprintf(name, sizeof(name), "%s%s.used", GENERATION, space);
    hsperf_make_long(m, name, used);
}

/* Two survivors, one of no size; a collector that never ran concurrently, as Serial has none. */
static struct hsperf_made serial(void)
{
    struct hsperf_made m = hsperf_make(false);

    add_space(&m, "0.space.0", 8000, 1);
    add_space(&m, "0.space.1", 0, 0);
    add_space(&m, "0.space.2", 1024, 1024);
    add_space(&m, "1.space.0", 256, 64);
    hsperf_make_long(&m, "sun.gc.collector.0.invocations", 3);
    hsperf_make_long(&m, "sun.gc.collector.0.time", 1500000);
    hsperf_make_long(&m, "sun.gc.collector.1.invocations", 1);
    hsperf_make_long(&m, "sun.gc.collector.1.time", 2500000);
    hsperf_make_long(&m, "sun.os.hrt.frequency", 1000000000);
    hsperf_make_long(&m, "sun.os.hrt.ticks", 12349999999);
    hsperf_make_string(&m, "sun.gc.cause", "No GC", 32);
    hsperf_make_string(&m, "sun.gc.lastCause", "Allocation Failure", 32);
    return m;
}

static void what_a_jvm_does_not_have_is_a_dash(void **state)
{
    struct hsperf_made m = serial();
    struct hsperf h = read_back(&m);
    CLEANUP(buf_done) struct buf row = {0}, header = {0};

    (void)state;
    assert_int_equal(jstat_header(JSTAT_GCUTIL, false, &header), 0);
    assert_words(&header, "S0 S1 E O M CCS YGC YGCT FGC FGCT CGC CGCT GCT ");
    assert_int_equal(jstat_row(JSTAT_GCUTIL, &h, NULL, &row), 0);
    /* S0 divides by 0. GCT lacks a term, which counts as none. */
    assert_words(&row, "- 100.00 0.01 25.00 - - 3 0.002 1 0.003 - - 0.004 ");
}

static void sizes_are_in_kib_and_round_to_even(void **state)
{
    struct hsperf_made m = serial();
    struct hsperf h = read_back(&m);
    CLEANUP(buf_done) struct buf row = {0};

    (void)state;
    assert_int_equal(jstat_row(JSTAT_GC, &h, NULL, &row), 0);
    assert_words(&row, "0.0 1.0 0.0 1.0 7.8 0.0 0.2 0.1 - - - - 3 0.002 1 0.003 - - 0.004 ");
}

static void the_causes_stand_at_the_end(void **state)
{
    struct hsperf_made m = serial();
    struct hsperf h = read_back(&m);
    CLEANUP(buf_done) struct buf row = {0};
    const char *at;

    (void)state;
    assert_int_equal(jstat_row(JSTAT_GCCAUSE, &h, NULL, &row), 0);
    at = strstr(buf_text(&row), "0.004 Allocation Failure   No GC\n");
    assert_non_null(at);
    assert_int_equal(strlen(at), strlen("0.004 Allocation Failure   No GC\n"));
}

static void classes_are_counted_with_those_that_are_shared(void **state)
{
    struct hsperf_made m = hsperf_make(false);
    struct hsperf h;
    CLEANUP(buf_done) struct buf row = {0}, header = {0}, json = {0};
    json_t *o;

    (void)state;
    hsperf_make_long(&m, "java.cls.loadedClasses", 10);
    hsperf_make_long(&m, "java.cls.sharedLoadedClasses", 400);
    hsperf_make_long(&m, "sun.cls.loadedBytes", 2048);
    hsperf_make_long(&m, "sun.cls.sharedLoadedBytes", 512);
    hsperf_make_long(&m, "java.cls.unloadedClasses", 1);
    hsperf_make_long(&m, "sun.cls.time", 1234567);
    hsperf_make_long(&m, "sun.os.hrt.frequency", 1000000);
    h = read_back(&m);
    assert_int_equal(jstat_header(JSTAT_CLASS, false, &header), 0);
    assert_words(&header, "Loaded Bytes Unloaded Bytes Time ");
    assert_int_equal(jstat_row(JSTAT_CLASS, &h, NULL, &row), 0);
    assert_words(&row, "410 2.5 - - 1.23 ");
    /* Two columns of one name would be one in an object. */
    assert_int_equal(jstat_json(JSTAT_CLASS, &(struct jstat_sample){&h, 7, 0, NAN}, &json), 0);
    assert_int_equal(json.data[json.size - 1], '\n');
    o = json_loads(json.data, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_integer_value(json_object_get(o, "pid")), 7);
    assert_int_equal(json_integer_value(json_object_get(o, "Loaded")), 410);
    assert_true(json_is_null(json_object_get(o, "UnloadedBytes")));
    assert_true(json_is_null(json_object_get(o, "uptime")));
    assert_string_equal(json_string_value(json_object_get(o, "time")), "1970-01-01T00:00:00.000Z");
    assert_non_null(strstr(json.data, "\"LoadedBytes\":2.5,"));
    assert_non_null(strstr(json.data, "\"Time\":1.23"));
    json_decref(o);
}

static void the_time_stamp_is_the_jvms_own_where_it_keeps_one(void **state)
{
    struct hsperf_made m = serial(), without = hsperf_make(false);
    struct hsperf h = read_back(&m), young, none = read_back(&without);
    CLEANUP(buf_done) struct buf row = {0}, header = {0}, unknown = {0};
    double seconds = jstat_uptime(&h, INT64_C(1700000000000000000));

    (void)state;
    assert_int_equal(jstat_header(JSTAT_CLASS, true, &header), 0);
    assert_words(&header, "Timestamp Loaded Bytes Unloaded Bytes Time ");
    assert_int_equal(jstat_row(JSTAT_CLASS, &h, &seconds, &row), 0);
    assert_words(&row, "12.3 - - - - - ");
    seconds = jstat_uptime(&none, 1);
    assert_true(isnan(seconds));
    assert_int_equal(jstat_row(JSTAT_CLASS, &none, &seconds, &unknown), 0);
    assert_words(&unknown, "- - - - - - ");
    hsperf_make_long(&without, "sun.rt.createVmBeginTime", INT64_C(1700000000000));
    hsperf_make_long(&without, "sun.os.hrt.frequency", 1000000000);
    young = read_back(&without);
    assert_true(fabs(jstat_uptime(&young, INT64_C(1700000002500000000)) - 2.5) < 1e-6);
}

static void a_cause_does_not_speak_to_the_terminal(void **state)
{
    struct hsperf_made m = hsperf_make(false);
    struct hsperf h;
    CLEANUP(buf_done) struct buf row = {0}, json = {0};

    (void)state;
    hsperf_make_string(&m, "sun.gc.cause", "\033[2J\n\"\xff", 16);
    h = read_back(&m);
    assert_int_equal(jstat_row(JSTAT_GCCAUSE, &h, NULL, &row), 0);
    assert_null(strchr(row.data, '\033'));
    assert_ptr_equal(strchr(row.data, '\n'), row.data + row.size - 1);
    assert_int_equal(jstat_json(JSTAT_GCCAUSE, &(struct jstat_sample){&h, 1, 0, 0}, &json), 0);
    assert_non_null(strstr(json.data, "\"GCC\":\"?[2J?\\\"?\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_jvm_does_not_have_is_a_dash),
        cmocka_unit_test(sizes_are_in_kib_and_round_to_even),
        cmocka_unit_test(the_causes_stand_at_the_end),
        cmocka_unit_test(classes_are_counted_with_those_that_are_shared),
        cmocka_unit_test(the_time_stamp_is_the_jvms_own_where_it_keeps_one),
        cmocka_unit_test(a_cause_does_not_speak_to_the_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
