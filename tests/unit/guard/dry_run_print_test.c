/* SPDX-License-Identifier: Apache-2.0
 *
 * What a dry run shows of a target: a line, an object, and a table that fits its terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "guard/dry_run_print.h"

static struct actions actions;
static struct dry_run_config config;
static struct target target;
static struct dry_run_view view;

static int set_up(void **state)
{
    struct err e;

    (void)state;
    actions = (struct actions){0};
    config = (struct dry_run_config){.actions = &actions, .rules.count = 2};
    if (action_add("stats,threads@5s", &actions, &e) < 0 ||
        condition_parse("need>=95%,oom-in<=1m", &config.rules.when[0], &e) < 0 ||
        condition_parse("heap>=90%", &config.rules.when[1], &e) < 0)
        return -1;
    target = (struct target){.name = "shop/cart\033[31m", .memcg = {.v2 = true, .levels = 2}};
    view = (struct dry_run_view){.target = &target, .polled = true, .victim = 42};
    view.verdict[0] = CONDITION_TRUE;
    view.verdict[1] = CONDITION_UNKNOWN;
    view.reading.own = view.reading.used = reading_known(97 << 20);
    view.reading.limit = reading_known(100 << 20);
    view.reading.need = reading_known(9700);
    view.reading.growth = reading_known(1 << 20);
    view.reading.room = reading_known(3 << 20);
    view.reading.heap = reading_unknown("no JVM with counters");
    return 0;
}

static void a_line_has_each_condition_and_its_values(void **state)
{
    struct buf text = {0};

    (void)state;
    assert_int_equal(dry_run_print_line(&config, &view, &text), 0);
    assert_non_null(strstr(buf_text(&text), " shop/cart?[31m | memory 97% of 100.0 MiB, growing 1.0 MiB/s"));
    assert_non_null(
        strstr(buf_text(&text), " | need>=95%,oom-in<=1m yes (97%; 3.0 s) | heap>=90% unknown (unknown: no JVM"));
    assert_null(strstr(buf_text(&text), "triggered"));
    buf_clear(&text);
    view.answer = RULE_TRIGGER;
    snprintf(view.why, sizeof(view.why), "the reason");
    config.lend = 64 << 20;
    config.hold_ms = 30000;
    assert_int_equal(dry_run_print_line(&config, &view, &text), 0);
    assert_non_null(strstr(buf_text(&text),
                           " | triggered, process 42: the reason: would take stats,threads@5s; raise limits by "
                           "up to 64.0 MiB; hold the process for up to "));
    buf_clear(&text);
    view.gone = true;
    assert_int_equal(dry_run_print_line(&config, &view, &text), 0);
    assert_non_null(strstr(buf_text(&text), " | gone\n"));
    buf_done(&text);
}

static json_t *printed(void)
{
    struct buf text = {0};
    json_t *root;

    assert_int_equal(dry_run_print_json(&config, &view, "v2.events", &text), 0);
    assert_ptr_equal(strchr(buf_text(&text), '\n'), buf_text(&text) + text.size - 1);
    root = json_loads(buf_text(&text), 0, NULL);
    buf_done(&text);
    assert_non_null(root);
    return root;
}

static void an_object_has_values_thresholds_and_the_case(void **state)
{
    const char *answer, *unit, *why, *action;
    double threshold, value;
    int holds, pid, level;
    json_t *root, *unknown;

    (void)state;
    view.answer = RULE_TRIGGER;
    target.last.sample.level = 2;
    root = printed();
    assert_int_equal(json_unpack(root, "{ss s[{sb s[{ss sF sF}]}]}", "answer", &answer, "conditions", "holds", &holds,
                                 "terms", "unit", &unit, "threshold", &threshold, "value", &value),
                     0);
    assert_string_equal(answer, "trigger");
    assert_true(holds);
    assert_string_equal(unit, "%");
    assert_true(threshold == 95.0 && value == 97.0);
    assert_int_equal(json_unpack(root, "{s{si s[ss]}}", "case", "pid", &pid, "actions", &why, &action), 0);
    assert_int_equal(pid, 42);
    assert_string_equal(action, "threads@5s");
    unknown = json_array_get(json_object_get(root, "conditions"), 1);
    assert_true(json_is_null(json_object_get(unknown, "holds")));
    assert_int_equal(json_unpack(unknown, "{s[{ss}]}", "terms", "unknown", &why), 0);
    assert_string_equal(why, "no JVM with counters");
    assert_int_equal(json_unpack(root, "{s{si}}", "memory", "level", &level), 0);
    assert_int_equal(level, 2);
    json_decref(root);
}

static void one_that_is_gone_is_no_more_than_that(void **state)
{
    json_t *root;

    (void)state;
    view.gone = true;
    root = printed();
    assert_true(json_is_true(json_object_get(root, "gone")));
    assert_null(json_object_get(root, "conditions"));
    json_decref(root);
}

static void a_table_fits_its_terminal(void **state)
{
    const struct dry_run_view *views[] = {&view, &view, &view, &view};
    struct dry_run_screen screen = {.columns = 40, .rows = 20};
    struct buf text = {0};
    struct dry_run_table table = {.screen = screen, .views = views, .count = 4, .note = "a note"};
    unsigned rows, lines = 0;

    (void)state;
    view.triggered_ns = 1;
    assert_int_equal(dry_run_print_table(&config, &table, &text, &rows), 0);
    for (const char *at = buf_text(&text), *end; *at; at = end + 1, lines++) {
        end = strchr(at, '\n');
        assert_non_null(end);
        assert_true(end - at <= 40 + 3); /* "\033[K" ends each */
    }
    assert_int_equal(lines, rows);
    assert_true(rows < screen.rows);
    assert_non_null(strstr(buf_text(&text), "  yes      need>=95%                97%\033[K\n"));
    assert_non_null(strstr(buf_text(&text), "  unknown  heap>=90% "));
    assert_non_null(strstr(buf_text(&text), "  yes      all 2 of these\033[K\n"));
    assert_non_null(strstr(buf_text(&text), "2 more do not fit"));
    assert_null(strstr(buf_text(&text), "\033[3"));
    buf_clear(&text);
    table = (struct dry_run_table){.screen = screen, .views = views, .count = 1, .note = ""};
    table.screen.colours = true;
    assert_int_equal(dry_run_print_table(&config, &table, &text, &rows), 0);
    assert_non_null(strstr(buf_text(&text), "\033[31m  yes      need>=95%"));
    assert_non_null(strstr(buf_text(&text), "\033[33m  unknown  heap>=90%"));
    assert_null(strstr(buf_text(&text), "cart\033[31m"));
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_has_each_condition_and_its_values, set_up),
        cmocka_unit_test_setup(an_object_has_values_thresholds_and_the_case, set_up),
        cmocka_unit_test_setup(one_that_is_gone_is_no_more_than_that, set_up),
        cmocka_unit_test_setup(a_table_fits_its_terminal, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
