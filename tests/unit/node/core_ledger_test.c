/* SPDX-License-Identifier: Apache-2.0
 *
 * What the handlers remember: buckets, counts, the last cores; and the configuration beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/core_config.h"
#include "node/core_ledger.h"

static const struct rate TWO = {2, 60000};

static void a_bucket_is_emptied_and_refills(void **state)
{
    struct core_ledger *l = calloc(1, sizeof(*l));
    uint64_t limited;

    (void)state;
    assert_non_null(l);
    assert_true(core_ledger_admit(l, "/a", &TWO, 1000000, &limited));
    assert_true(core_ledger_admit(l, "/a", &TWO, 1000000, &limited));
    for (unsigned i = 1; i <= 5; i++) {
        assert_false(core_ledger_admit(l, "/a", &TWO, 1000000, &limited));
        assert_int_equal(limited, i);
    }
    assert_true(core_ledger_admit(l, "/b", &TWO, 1000000, &limited)); /* another cgroup's */
    assert_int_equal(limited, 0);
    assert_false(core_ledger_admit(l, "/a", &TWO, 1029000, &limited));
    assert_true(core_ledger_admit(l, "/a", &TWO, 1031000, &limited));
    assert_int_equal(limited, 6);                                   /* how many were left out until this one */
    assert_false(core_ledger_admit(l, "/a", &TWO, 1000, &limited)); /* a clock that was set back gives nothing */
    assert_true(core_ledger_admit(l, "/a", &(struct rate){0}, 1000, &limited));
    free(l);
}

static void many_cgroups_push_out_the_oldest(void **state)
{
    struct core_ledger *l = calloc(1, sizeof(*l));
    char name[32];
    uint64_t limited;

    (void)state;
    assert_non_null(l);
    for (int i = 0; i < LEDGER_BUCKETS + 10; i++) {
        snprintf(name, sizeof(name), "/%d", i);
        assert_true(core_ledger_admit(l, name, &TWO, 1000 + i, &limited));
    }
    assert_int_equal(l->buckets, LEDGER_BUCKETS);
    free(l);
}

static void what_is_written_is_read_again(void **state)
{
    struct core_ledger *l = calloc(1, sizeof(*l)), *again = calloc(1, sizeof(*again));
    struct core_entry entry = {.time_ms = 5, .pid = 7, .signal = 11, .end = CORE_LOST, .sensitive = true};
    struct buf text = {.ceiling = LEDGER_MAX};
    char name[LEDGER_TEXT];
    uint64_t limited;

    (void)state;
    assert_non_null(l);
    assert_non_null(again);
    strcpy(entry.command, "a\xff");
    memset(entry.what, 'w', sizeof(entry.what) - 1);
    memset(name, 'c', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (int i = 0; i < LEDGER_LAST + 3; i++)
        core_ledger_record(l, &entry);
    entry.end = CORE_LIMITED;
    core_ledger_record(l, &entry); /* counted only */
    for (int i = 0; i < LEDGER_BUCKETS; i++) {
        snprintf(name, 8, "/%d", i);
        name[strlen(name)] = 'c';
        core_ledger_admit(l, name, &TWO, 1000, &limited);
    }
    assert_int_equal(core_ledger_encode(l, &text), 0);
    assert_int_equal(core_ledger_decode(text.data, text.size, again), 0);
    assert_int_equal(again->lasts, LEDGER_LAST);
    assert_int_equal(again->count[CORE_LOST], LEDGER_LAST + 3);
    assert_int_equal(again->count[CORE_LIMITED], 1);
    assert_int_equal(again->buckets, LEDGER_BUCKETS);
    assert_true(again->last[0].pid == 7 && again->last[0].end == CORE_LOST && again->last[0].sensitive);
    assert_int_equal(core_ledger_decode("{}", 2, again), -EBADMSG);
    assert_int_equal(again->lasts, 0);
    buf_done(&text);
    free(l);
    free(again);
}

static void the_end_of_a_core_takes_the_place_of_its_beginning(void **state)
{
    struct core_ledger *l = calloc(1, sizeof(*l));
    struct core_entry one = {.time_ms = 5, .pid = 7, .end = CORE_TAKING},
                      two = {.time_ms = 6, .pid = 8, .end = CORE_TAKING};

    (void)state;
    assert_non_null(l);
    core_ledger_record(l, &one);
    core_ledger_record(l, &two);
    assert_true(l->lasts == 2 && l->count[CORE_TAKING] == 2);
    one.end = CORE_STORED;
    core_ledger_record(l, &one);
    assert_true(l->lasts == 2 && l->count[CORE_TAKING] == 1 && l->count[CORE_STORED] == 1);
    assert_true(l->last[0].pid == 8 && l->last[0].end == CORE_TAKING && l->last[1].end == CORE_STORED);
    core_ledger_record(l, &one); /* another core of that number */
    assert_int_equal(l->lasts, 3);
    free(l);
}

static void a_configuration_is_read_strictly(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"schema\": \"salvage.core-config/2\"}",
        "{\"schema\": \"salvage.core-config/1\", \"arguments\": [1], \"environment\": [], \"before\": "
        "{\"core_pattern\": "
        "\"core\", \"core_pipe_limit\": 0}, \"core_pattern\": \"x\"}",
        "{\"schema\": \"salvage.core-config/1\", \"arguments\": [], \"environment\": [\"=x\"], \"before\": "
        "{\"core_pattern\": \"core\", \"core_pipe_limit\": 0}, \"core_pattern\": \"x\"}",
        "{\"schema\": \"salvage.core-config/1\", \"arguments\": [], \"environment\": [], \"before\": "
        "{\"core_pattern\": "
        "\"core\", \"core_pipe_limit\": -1}, \"core_pattern\": \"x\"}",
    };
    struct core_config c = {.pipe_limit = 3}, again = {0};
    struct core_set *set;
    struct buf text = {0};
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(core_config_decode(wrong[i], strlen(wrong[i]), &again, &e), -FAULT_FORMAT);
    strcpy(c.pattern, "|/x %P");
    strcpy(c.ours, "|/y");
    set = core_config_add(&c);
    assert_non_null(set);
    assert_int_equal(strv_add(&set->arguments, "--to=s3://b/\xc3\xa9"), 0);
    assert_int_equal(strv_add(&set->environment, "AWS_REGION=a=b"), 0);
    assert_int_equal(core_config_encode(&c, &text), 0);
    assert_int_equal(core_config_decode(text.data, text.size, &again, &e), 0);
    assert_string_equal(again.pattern, "|/x %P");
    assert_string_equal(again.ours, "|/y");
    assert_int_equal(again.pipe_limit, 3);
    assert_string_equal(again.set[0].arguments.item[0], "--to=s3://b/\xc3\xa9");
    assert_string_equal(again.set[0].environment.item[0], "AWS_REGION=a=b");
    buf_done(&text);
    core_config_done(&c);
    core_config_done(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_is_emptied_and_refills),
        cmocka_unit_test(many_cgroups_push_out_the_oldest),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(the_end_of_a_core_takes_the_place_of_its_beginning),
        cmocka_unit_test(a_configuration_is_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
