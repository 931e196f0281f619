/* SPDX-License-Identifier: Apache-2.0
 *
 * The language of conditions: what is taken, what is refused and how, when it holds, and when it lets go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "guard/condition.h"

static struct condition parsed(const char *text)
{
    struct condition c;
    struct err e = {0};

    if (condition_parse(text, &c, &e) < 0)
        fail_msg("%s: %s", text, e.msg);
    return c;
}

static void what_is_written_is_printed_in_one_way(void **state)
{
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"memory>=90%", NULL},
        {"memory>=100%", NULL},
        {"memory>=92.5%", NULL},
        {"need>=95%", NULL},
        {"memory>=0.01%", NULL},
        {"memory>=92.50%", "memory>=92.5%"},
        {"memory>=099%", "memory>=99%"},
        {"memory>=400M", NULL},
        {"memory>=1.5GiB", "memory>=1536M"},
        {"memory>=1024MB", "memory>=1G"},
        {"memory>=1000001B", NULL},
        {"growth>=10M/s", NULL},
        {"growth>=0.5G/s", "growth>=512M/s"},
        {"oom-in<=8s", NULL},
        {"oom-in<=8", "oom-in<=8s"},
        {"oom-in<=1.5s", "oom-in<=1500ms"},
        {"oom-in<=120s", "oom-in<=2m"},
        {"oom-in<=24h", NULL},
        {"oom-in<=dump", NULL},
        {"pressure=low", NULL},
        {"pressure=medium", NULL},
        {"pressure=critical", NULL},
        {"psi.some>=20%/10s", NULL},
        {"psi.full>=0.5%/500ms", NULL},
        {"psi.full>=12.25%/600", "psi.full>=12.25%/10m"},
        {"heap>=90%", NULL},
        {"gc>=50%", NULL},
        {"threads>=90%", NULL},
        {"event:oom", NULL},
        {"event:oom-kill", NULL},
        {"event:oom_kill", "event:oom-kill"},
        {"event:oom_group_kill", "event:oom-group-kill"},
        {"event:high", NULL},
        {"event:max", NULL},
        {"memory>=90%,growth>=10M/s,event:oom", NULL},
        {" memory >= 90 % , growth\t>= 10 M / s ,psi.some >=20 % / 10 s,event : oom ",
         "memory>=90%,growth>=10M/s,psi.some>=20%/10s,event:oom"},
        {"memory>=1%,memory>=2%,memory>=3%,memory>=4%,memory>=5%,memory>=6%,memory>=7%,memory>=8%", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct condition c = parsed(rows[i].text), again;
        char text[CONDITION_TEXT_MAX];

        assert_string_equal(condition_print(&c, text), rows[i].printed ? rows[i].printed : rows[i].text);
        again = parsed(text);
        assert_int_equal(c.count, again.count);
        for (unsigned j = 0; j < c.count; j++) {
            assert_int_equal(c.term[j].what, again.term[j].what);
            assert_int_equal(c.term[j].value, again.term[j].value);
            assert_int_equal(c.term[j].window_ms, again.term[j].window_ms);
        }
    }
}

static void a_wrong_word_is_named_with_what_would_be_right(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", "empty"},
        {"   ", "empty"},
        {"memory>=90%,", "empty"},
        {",memory>=90%", "empty"},
        {"memory>=90%,,gc>=5%", "empty"},
        {"memroy>=90%", "no \"memroy\": did you mean memory?"},
        {"Memory>=90%", "did you mean memory?"},
        {"mem>=90%", "did you mean memory?"},
        {"psi>=10%/10s", "did you mean psi.some?"},
        {"psi_full>=10%/10s", "did you mean psi.full?"},
        {"oom_in<=8s", "did you mean oom-in?"},
        {"processor>=90%", "there is no \"processor\", but memory, need, growth"},
        {">=90%", "there is no \"\", but"},
        {"memory>90%", "did you mean memory>=90%?"},
        {"memory=90%", "did you mean memory>=90%?"},
        {"memory>==90%", "did you mean memory>=90%?"},
        {"memory=>90%", "did you mean memory>=90%?"},
        {"memory<=90%", "did you mean memory>=90%?"},
        {"memory: 90%", "did you mean memory>=90%?"},
        {"oom-in<8s", "did you mean oom-in<=8s?"},
        {"oom-in>=8s", "did you mean oom-in<=8s?"},
        {"pressure>=low", "did you mean pressure=low?"},
        {"event=oom", "did you mean event:oom?"},
        {"memory", "write 'memory>=90%', in quotes"}, /* what a shell leaves of memory>=90% */
        {"oom-in", "in quotes"},
        {"memory>=", "a value is missing: for example memory>=90%"},
        {"event:", "a value is missing: for example event:oom"},
        {"memory>=90% growth>=10M/s", "a ',' is missing"},
        {"memory>=90", "\"90\" is not a share"},
        {"memory>=90", "for example memory>=90%"},
        {"memory>=0%", "is not a share"},
        {"memory>=0M", "is not a share"},
        {"memory>=101%", "is not a share"},
        {"memory>=100.01%", "is not a share"},
        {"memory>=18446744073709551706%", "is not a share"},
        {"memory>=90.123%", "two decimals"},
        {"memory>=90.%", "is not a share"},
        {"memory>=.5%", "is not a share"},
        {"memory>=-5%", "is not a share"},
        {"memory>=9 0%", "is not a share"},
        {"memory>=8388608T", "is not a share"},
        {"memory>=99999999999999999T", "is not a share"},
        {"memory>=five", "\"five\" is not a share"},
        {"growth>=10M", "\"10M\" is not a size a second: for example growth>=10M/s"},
        {"growth>=10/s", "is not a size a second"},
        {"growth>=10M/m", "is not a size a second"},
        {"growth>=0M/s", "is not a size a second"},
        {"growth>=/s", "is not a size a second"},
        {"oom-in<=0", "not a time"},
        {"oom-in<=25h", "not a time (up to 24h)"},
        {"oom-in<=dumps", "not a time (up to 24h) or \"dump\""},
        {"pressure=crit", "did you mean pressure=critical?"},
        {"pressure=hi", "write pressure=low|medium|critical"},
        {"psi.some>=20%", "not a share of a time: for example psi.some>=20%/10s"},
        {"psi.some>=20/10s", "not a share of a time"},
        {"psi.some>=20%/", "not a share of a time"},
        {"psi.some>=20%/499ms", "from 500ms to 10m"},
        {"psi.full>=20%/601s", "from 500ms to 10m"},
        {"heap>=400M", "not a share"},
        {"gc>=0%", "not a share"},
        {"threads>=90", "not a share"},
        {"thread>=90%", "did you mean threads"},
        {"event:oomkill", "did you mean event:oom-kill?"},
        {"event:boom!", "event:"},
        {"event:low", "write event:high|max|oom|oom-kill|oom-group-kill"},
        {"memory>=1%,memory>=1%,memory>=1%,memory>=1%,memory>=1%,memory>=1%,memory>=1%,memory>=1%,memory>=1%",
         "more than 8"},
        {"memory>=0000000000000000000000000000000000000000000000000000000000001%", "too long"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct condition c = {.count = 77};
        struct err e = {0};

        assert_int_equal(condition_parse(rows[i].text, &c, &e), -FAULT_USAGE);
        if (!strstr(e.msg, rows[i].expected))
            fail_msg("%s: %s", rows[i].text, e.msg);
        assert_null(strchr(e.msg, '\n'));
        assert_int_equal(c.count, 77);
    }
}

static void the_table_of_words_tells_the_truth(void **state)
{
    (void)state;
    for (const struct condition_word *w = CONDITION_WORDS; w->name; w++) {
        struct condition c = parsed(w->example);

        assert_int_equal(c.count, 1);
        assert_int_equal(c.term[0].what, w->what);
        assert_true(text_starts(w->form, w->name));
        assert_true(*w->help);
    }
}

enum { MIB = 1 << 20 };

/* 450 of 500 MiB, growing 10 MiB/s: 5 s to the limit. */
static struct reading typical(void)
{
    return (struct reading){.own = reading_known(440 * MIB),
                            .used = reading_known(450 * MIB),
                            .limit = reading_known(500 * MIB),
                            .room = reading_known(50 * MIB),
                            .growth = reading_known(10 * MIB),
                            .dump_ms = reading_known(4000),
                            .pressure = reading_known(READING_MEDIUM),
                            .psi = {{10000, reading_known(2000), reading_known(1000)},
                                    {2000, reading_known(3000), reading_unknown("not long enough yet")}},
                            .heap = reading_known(8000),
                            .gc = reading_known(2500),
                            .threads = reading_known(9600),
                            .events = reading_known(READING_HIGH | READING_OOM)};
}

static void a_condition_holds_from_its_mark_on(void **state)
{
    static const struct {
        const char *text;
        enum condition_verdict verdict;
    } rows[] = {
        {"memory>=90%", CONDITION_TRUE},
        {"memory>=90.01%", CONDITION_FALSE},
        {"memory>=440M", CONDITION_TRUE}, /* its own, not the pod's */
        {"memory>=441M", CONDITION_FALSE},
        {"growth>=10M/s", CONDITION_TRUE},
        {"growth>=11M/s", CONDITION_FALSE},
        {"oom-in<=5s", CONDITION_TRUE},
        {"oom-in<=4.9s", CONDITION_FALSE},
        {"oom-in<=dump", CONDITION_FALSE},
        {"pressure=low", CONDITION_TRUE},
        {"pressure=medium", CONDITION_TRUE},
        {"pressure=critical", CONDITION_FALSE},
        {"psi.some>=20%/10s", CONDITION_TRUE},
        {"psi.some>=30%/10s", CONDITION_FALSE},
        {"psi.some>=30%/2s", CONDITION_TRUE},
        {"psi.full>=10%/10s", CONDITION_TRUE},
        {"psi.full>=11%/10s", CONDITION_FALSE},
        {"psi.full>=1%/2s", CONDITION_UNKNOWN},
        {"psi.full>=1%/3s", CONDITION_UNKNOWN},
        {"heap>=80%", CONDITION_TRUE},
        {"heap>=81%", CONDITION_FALSE},
        {"gc>=25%", CONDITION_TRUE},
        {"threads>=96%", CONDITION_TRUE},
        {"threads>=97%", CONDITION_FALSE},
        {"gc>=25.5%", CONDITION_FALSE},
        {"event:oom", CONDITION_TRUE},
        {"event:high", CONDITION_TRUE},
        {"event:max", CONDITION_FALSE},
        {"event:oom-kill", CONDITION_FALSE},
        {"memory>=90%,growth>=10M/s", CONDITION_TRUE},
        {"memory>=90%,growth>=11M/s", CONDITION_FALSE},
        {"memory>=91%,growth>=10M/s", CONDITION_FALSE},
        {"memory>=90%,psi.full>=1%/2s", CONDITION_UNKNOWN},
        {"psi.full>=1%/2s,memory>=91%", CONDITION_FALSE}, /* whatever the first is */
    };
    struct reading r = typical();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct condition c = parsed(rows[i].text);

        if (condition_evaluate(&c, &r, false, NULL) != rows[i].verdict)
            fail_msg("%s", rows[i].text);
    }
}

static void what_is_not_known_never_holds(void **state)
{
    static const struct reading nothing;

    (void)state;
    for (const struct condition_word *w = CONDITION_WORDS; w->name; w++) {
        struct condition c = parsed(w->example);
        const char *why = NULL;

        assert_int_equal(condition_evaluate(&c, &nothing, false, &why), CONDITION_UNKNOWN);
        assert_int_equal(condition_evaluate(&c, &nothing, true, NULL), CONDITION_UNKNOWN);
        assert_string_equal(why, "not read yet");
    }
}

static void the_first_missing_value_is_told(void **state)
{
    struct condition c = parsed("growth>=1M/s,memory>=90%,oom-in<=dump,heap>=90%");
    struct reading r = typical();
    const char *why = "untouched";

    (void)state;
    assert_int_equal(condition_evaluate(&c, &r, false, &why), CONDITION_FALSE);
    assert_string_equal(why, "untouched");
    r.limit = reading_unknown("no limit");
    r.room = reading_known(1);
    r.dump_ms = reading_unknown("no JVM");
    r.heap = reading_unknown("its counters are off");
    assert_int_equal(condition_evaluate(&c, &r, false, &why), CONDITION_UNKNOWN);
    assert_string_equal(why, "no limit");
    c = parsed("oom-in<=dump");
    assert_int_equal(condition_evaluate(&c, &r, false, &why), CONDITION_UNKNOWN);
    assert_string_equal(why, "no JVM");
    /* What never comes needs no measure. */
    r.growth = reading_known(0);
    assert_int_equal(condition_evaluate(&c, &r, false, &why), CONDITION_FALSE);
    r.dump_ms = reading_known(INT64_MAX);
    assert_int_equal(condition_evaluate(&c, &r, false, &why), CONDITION_FALSE);
    assert_int_equal(condition_evaluate(&c, &r, true, &why), CONDITION_FALSE);
}

static void what_has_fired_lets_go_by_a_margin(void **state)
{
    static const struct {
        const char *text;
        size_t field; /* of struct reading */
        int64_t held, released;
    } rows[] = {
        {"memory>=90%", offsetof(struct reading, used), 425 * MIB, 424 * MIB},
        {"memory>=4%", offsetof(struct reading, used), 10 * MIB, 9 * MIB},
        {"memory>=400M", offsetof(struct reading, own), 380 * MIB, 379 * MIB},
        {"growth>=10M/s", offsetof(struct reading, growth), 5 * MIB, 4 * MIB},
        {"oom-in<=5s", offsetof(struct reading, growth), 5 * MIB, 4 * MIB},
        {"oom-in<=dump", offsetof(struct reading, growth), 7 * MIB, 6 * MIB},
        {"pressure=medium", offsetof(struct reading, pressure), READING_MEDIUM, READING_LOW},
        {"psi.some>=20%/10s", offsetof(struct reading, psi[0].some), 1000, 999},
        {"psi.full>=20%/10s", offsetof(struct reading, psi[0].full), 1000, 999},
        {"psi.full>=0.01%/10s", offsetof(struct reading, psi[0].full), 1, 0},
        {"heap>=80%", offsetof(struct reading, heap), 7500, 7499},
        {"gc>=20%", offsetof(struct reading, gc), 1000, 999},
        {"threads>=90%", offsetof(struct reading, threads), 8500, 8499},
        {"event:oom", offsetof(struct reading, events), READING_OOM, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct condition c = parsed(rows[i].text);
        struct reading r = typical();
        struct reading_value *v = (struct reading_value *)(void *)((char *)&r + rows[i].field);

        v->value = rows[i].held;
        if (condition_evaluate(&c, &r, true, NULL) != CONDITION_TRUE)
            fail_msg("%s lets go too early", rows[i].text);
        v->value = rows[i].released;
        if (condition_evaluate(&c, &r, true, NULL) != CONDITION_FALSE)
            fail_msg("%s doesn't let go", rows[i].text);
        *v = reading_unknown("gone");
        assert_int_equal(condition_evaluate(&c, &r, true, NULL), CONDITION_UNKNOWN);
    }
}

static void the_values_are_told_as_a_person_reads_them(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"memory>=90%", "memory 90% of 500.0 MiB, growing 10.0 MiB/s, limit in 5.0 s"},
        {"memory>=1M", "memory 90% of 500.0 MiB, growing 10.0 MiB/s, limit in 5.0 s, its own 440.0 MiB"},
        {"oom-in<=dump", "memory 90% of 500.0 MiB, growing 10.0 MiB/s, limit in 5.0 s, a dump takes 4.0 s"},
        {"psi.some>=1%/10s,psi.full>=1%/10s,psi.full>=1%/2s",
         "memory 90% of 500.0 MiB, growing 10.0 MiB/s, limit in 5.0 s, some task stalled 20% of 10s, all tasks stalled "
         "10% of 10s"},
        {"threads>=90%", "memory 90% of 500.0 MiB, growing 10.0 MiB/s, limit in 5.0 s, threads 96%"},
        {"heap>=1%,gc>=1%,heap>=2%,pressure=low,event:oom,event:max",
         "memory 90% of 500.0 MiB, growing 10.0 MiB/s, limit in 5.0 s, heap after GC 80%, time in GC 25%, pressure "
         "medium, event high+oom"},
    };
    char out[CONDITION_EXPLAIN_MAX];
    struct reading r = typical();
    struct condition c;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        c = parsed(rows[i].text);
        assert_string_equal(condition_explain(&c, &r, out), rows[i].expected);
    }
    c = parsed("memory>=1%");
    r.growth = reading_known(-MIB);
    assert_string_equal(condition_explain(&c, &r, out), "memory 90% of 500.0 MiB, shrinking 1.0 MiB/s");
    r.growth = reading_known(INT64_MIN);
    assert_non_null(strstr(condition_explain(&c, &r, out), "shrinking 8.0 EiB/s"));
    r.growth = reading_known(0);
    r.limit = reading_unknown("no limit");
    assert_string_equal(condition_explain(&c, &r, out), "memory 440.0 MiB, no limit, not growing");
    r.growth = reading_known(MIB);
    assert_string_equal(condition_explain(&c, &r, out), "memory 440.0 MiB, no limit, growing 1.0 MiB/s, limit in 50 s");
    r.room = reading_known(5000ll * MIB);
    assert_non_null(strstr(condition_explain(&c, &r, out), "limit in 1:23:20"));
    r = (struct reading){0};
    assert_string_equal(condition_explain(&c, &r, out), "memory unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_printed_in_one_way),
        cmocka_unit_test(a_wrong_word_is_named_with_what_would_be_right),
        cmocka_unit_test(the_table_of_words_tells_the_truth),
        cmocka_unit_test(a_condition_holds_from_its_mark_on),
        cmocka_unit_test(what_is_not_known_never_holds),
        cmocka_unit_test(the_first_missing_value_is_told),
        cmocka_unit_test(what_has_fired_lets_go_by_a_margin),
        cmocka_unit_test(the_values_are_told_as_a_person_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
