/* SPDX-License-Identifier: Apache-2.0
 *
 * What logged events count, and how it is written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/counters.h"
#include "base/mem.h"
#include "base/openmetrics.h"
#include "captured_log.h"

static int set_up(void **state)
{
    (void)state;
    return capture_log() ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    release_log();
    return 0;
}

static void ship(const char *key, uint64_t stored)
{
    log_event(EVENT_SHIPPED, LOG_STR("key", key), LOG_UINT("stored", stored));
}

static void a_logged_event_counts(void **state)
{
    uint64_t before = counters_of(EVENT_GAVE_UP).count;

    (void)state;
    log_event(EVENT_GAVE_UP, LOG_STR("path", "x"));
    log_event(EVENT_GAVE_UP);
    assert_int_equal(counters_of(EVENT_GAVE_UP).count, before + 2);
    assert_true(counters_of(EVENT_GAVE_UP).last_ns > 0);
    assert_int_equal(counters_of(EVENT_OVERFLOW).count, 0);
}

static void what_is_shipped_counts_by_namespace_up_to_a_ceiling(void **state)
{
    struct counted_namespace rows[COUNTERS_NAMESPACES];
    char key[40];
    unsigned count;

    (void)state;
    ship("shop/cart/x", 10);
    ship("shop/web/x", 5);
    ship("loose", 1);
    count = counters_namespaces(rows);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].name, "shop");
    assert_int_equal(rows[0].shipped, 2);
    assert_int_equal(rows[0].stored_bytes, 15);
    assert_string_equal(rows[1].name, "");
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof(key), "n%d/x", i);
        ship(key, 1);
    }
    assert_int_equal(counters_namespaces(rows), COUNTERS_NAMESPACES);
    assert_string_equal(rows[COUNTERS_NAMESPACES - 1].name, "_others");
    assert_int_equal(rows[COUNTERS_NAMESPACES - 1].shipped, 200 - (COUNTERS_NAMESPACES - 3));
}

static void a_gauge_is_shown_once_it_was_set(void **state)
{
    CLEANUP(openmetrics_done) struct openmetrics before = {0}, after = {0};

    (void)state;
    openmetrics_common(&before);
    assert_null(strstr(buf_text(&before.text), "salvage_waiting_claims"));
    gauge_set(GAUGE_WAITING, 0);
    openmetrics_common(&after);
    assert_non_null(strstr(buf_text(&after.text), "\nsalvage_waiting_claims 0\n"));
}

static void levels_of_several_sources_add_up(void **state)
{
    struct counters_source source[2] = {{.fd = -1}, {.fd = -1}};
    uint64_t before = counters_of(EVENT_FAILED).count;
    int ends[2][2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends[i]), 0);
        source[i].fd = ends[i][0];
        counters_forward(ends[i][1]);
        gauge_set(GAUGE_TARGETS, i == 0 ? 3 : 4);
        log_event(EVENT_FAILED);
    }
    counters_forward(-1);
    gauge_set(GAUGE_TARGETS, 1); /* not sent */
    for (int i = 0; i < 2; i++)
        counters_receive_from(&source[i]);
    assert_int_equal(gauge_get(GAUGE_TARGETS), 8);
    assert_int_equal(counters_of(EVENT_FAILED).count, before + 4); /* here, and as forwarded */
    counters_source_done(&source[0]);
    assert_int_equal(gauge_get(GAUGE_TARGETS), 5);
    close(ends[0][1]);
    close(ends[1][1]);
    counters_receive_from(&source[1]); /* its end */
    assert_int_equal(source[1].fd, -1);
    assert_int_equal(gauge_get(GAUGE_TARGETS), 1);
}

static void labels_are_escaped(void **state)
{
    CLEANUP(openmetrics_done) struct openmetrics m = {0};

    (void)state;
    openmetrics_family(&m, "salvage_x_bytes", METRIC_COUNTER, "bytes", "X.");
    openmetrics_uint(&m, "namespace", "a\"b\\c\nd", 7);
    assert_int_equal(openmetrics_end(&m), 0);
    assert_string_equal(buf_text(&m.text), "# TYPE salvage_x_bytes counter\n# UNIT salvage_x_bytes bytes\n"
                                           "# HELP salvage_x_bytes X.\n"
                                           "salvage_x_bytes_total{namespace=\"a\\\"b\\\\c?d\"} 7\n# EOF\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_logged_event_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_shipped_counts_by_namespace_up_to_a_ceiling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gauge_is_shown_once_it_was_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(levels_of_several_sources_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(labels_are_escaped, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
