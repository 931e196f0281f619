/* SPDX-License-Identifier: Apache-2.0
 *
 * The command lines of a guard's processes are read as they were written, and nothing else is taken for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "guard/case_request.h"
#include "guard/record_request.h"

static void a_case_is_read_as_it_was_written(void **state)
{
    const struct whoami seen = {.namespace = (char *)"shop", .pod = (char *)"cart-1", .host = (char *)"cart-1"};
    struct case_request r = {.pid = 42,
                             .target = "shop/cart-1",
                             .why = "memory>=90%: memory 91%",
                             .id = "0123456789abcdef",
                             .time_ns = INT64_C(1764425056000000000),
                             .about = "{}",
                             .speed = 5,
                             .counters = 6,
                             .bandwidth = 8,
                             .notices = 9,
                             .slot = 10,
                             .cgroup = 7,
                             .last = &seen},
                        again;
    struct case_request_argv argv;
    struct whoami last;

    (void)state;
    case_request_encode(&r, &argv);
    assert_string_equal(argv.item[0], "salvage");
    assert_string_equal(argv.item[1], "guard-case");
    assert_int_equal(case_request_decode(CASE_REQUEST_ARGS - 1, argv.item + 1, &again, &last, NULL),
                     CASE_REQUEST_ARGS - 1);
    assert_int_equal(again.pid, 42);
    assert_string_equal(again.target, r.target);
    assert_string_equal(again.why, r.why);
    assert_string_equal(again.id, r.id);
    assert_int_equal(again.time_ns, r.time_ns);
    assert_string_equal(again.about, "{}");
    assert_int_equal(again.speed, 5);
    assert_int_equal(again.cgroup, 7);
    assert_int_equal(again.counters, 6);
    assert_int_equal(again.bandwidth, 8);
    assert_int_equal(again.notices, 9);
    assert_int_equal(again.slot, 10);
    assert_string_equal(again.last->namespace, "shop");
    assert_string_equal(again.last->host, "cart-1");
    assert_null(again.last->container);
}

/* A process that was never seen: nothing is known of it, and no speed is measured. */
static void what_is_unknown_stays_unknown(void **state)
{
    const struct whoami unseen = {.namespace = (char *)"not", .pod = (char *)"to be used"};
    struct case_request r = {.target = "a",
                             .why = "b",
                             .id = "",
                             .about = "{}",
                             .speed = -1,
                             .counters = -1,
                             .bandwidth = -1,
                             .notices = -1,
                             .slot = -1,
                             .last = &unseen},
                        again;
    struct case_request_argv argv;
    struct whoami last;

    (void)state;
    case_request_encode(&r, &argv);
    assert_true(case_request_decode(CASE_REQUEST_ARGS - 1, argv.item + 1, &again, &last, NULL) > 0);
    assert_int_equal(again.pid, 0);
    assert_int_equal(again.speed, -1);
    assert_int_equal(again.counters, -1);
    assert_int_equal(again.bandwidth, -1);
    assert_int_equal(again.notices, -1);
    assert_int_equal(again.slot, -1);
    assert_null(again.last->host);
    assert_null(again.last->namespace);
}

static void a_record_is_read_as_it_was_written(void **state)
{
    struct record_request r = {.json = 9,
                               .counters = 8,
                               .notices = 7,
                               .target = "a",
                               .id = "",
                               .time_ns = 5,
                               .pid = 77,
                               .who = {.pod = (char *)"cart-1", .image = (char *)"i", .host = (char *)"h"}},
                          again;
    struct record_request_argv argv;

    (void)state;
    record_request_encode(&r, &argv);
    assert_int_equal(record_request_decode(RECORD_REQUEST_ARGS - 1, argv.item + 1, &again, NULL),
                     RECORD_REQUEST_ARGS - 1);
    assert_int_equal(again.json, 9);
    assert_int_equal(again.counters, 8);
    assert_int_equal(again.notices, 7);
    assert_string_equal(again.id, "");
    assert_int_equal(again.time_ns, 5);
    assert_int_equal(again.pid, 77);
    assert_string_equal(again.who.pod, "cart-1");
    assert_string_equal(again.who.namespace, "");
    assert_string_equal(again.who.image, "i");
    assert_string_equal(again.who.host, "h");
    r.who.host = NULL;
    record_request_encode(&r, &argv);
    assert_true(record_request_decode(RECORD_REQUEST_ARGS - 1, argv.item + 1, &again, NULL) > 0);
    assert_null(again.who.host);
}

static void what_is_no_request_is_refused(void **state)
{
    char *words[] = {"guard-case", "42", "a", "b", "id", "5", "{}", "0", "7", "0", "0", "0", "0", "", "", "", "", NULL};
    char *record[] = {"guard-record", "9", "0", "0", "a", "id", "5", "77", "", "", "", "", "", "", NULL};
    static char long_id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const int numbers[] = {1, 5, 7, 8, 9, 10, 11, 12}, record_numbers[] = {1, 2, 3, 6, 7};
    struct case_request r;
    struct record_request k;
    struct whoami last;

    (void)state;
    assert_true(case_request_decode(17, words, &r, &last, NULL) == 17);
    assert_true(case_request_decode(16, words, &r, &last, NULL) < 0);
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        char *before = words[numbers[i]];

        words[numbers[i]] = (char[]){"-1"};
        assert_true(case_request_decode(17, words, &r, &last, NULL) < 0);
        words[numbers[i]] = before;
    }
    words[4] = long_id;
    assert_true(case_request_decode(17, words, &r, &last, NULL) < 0);
    assert_true(record_request_decode(14, record, &k, NULL) == 14);
    assert_true(record_request_decode(13, record, &k, NULL) < 0);
    for (unsigned i = 0; i < sizeof(record_numbers) / sizeof(*record_numbers); i++) {
        char *before = record[record_numbers[i]];

        record[record_numbers[i]] = (char[]){"x"};
        assert_true(record_request_decode(14, record, &k, NULL) < 0);
        record[record_numbers[i]] = before;
    }
    record[5] = long_id;
    assert_true(record_request_decode(14, record, &k, NULL) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_is_read_as_it_was_written),
        cmocka_unit_test(what_is_unknown_stays_unknown),
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_request_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
