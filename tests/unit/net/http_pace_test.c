/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that take their time, and those that take all of it, by a clock of the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/http_pace.h"

enum { TIMEOUT_MS = 30000, START_MS = 1000000 };

static void a_head_has_the_timeout(void **state)
{
    struct http_pace p = {.timeout_ms = TIMEOUT_MS};

    (void)state;
    assert_null(http_pace_check(&p, START_MS));
    assert_null(http_pace_status_line(&p, START_MS));
    assert_null(http_pace_check(&p, START_MS + TIMEOUT_MS));
    assert_non_null(http_pace_check(&p, START_MS + TIMEOUT_MS + 1));
}

static void each_interim_head_begins_anew_and_they_are_counted(void **state)
{
    struct http_pace p = {.timeout_ms = TIMEOUT_MS};
    uint64_t now = START_MS;

    (void)state;
    for (unsigned i = 0; i < PACE_HEADS_MAX; i++) {
        now += TIMEOUT_MS - 1;
        assert_null(http_pace_status_line(&p, now));
        http_pace_head_end(&p, true, now);
        assert_null(http_pace_check(&p, now + 10 * TIMEOUT_MS)); /* silence is not ours to judge */
    }
    assert_non_null(http_pace_status_line(&p, now));
}

/* A download of any size goes on for as long as it moves. */
static void a_body_must_move_in_each_window(void **state)
{
    struct http_pace p = {.timeout_ms = TIMEOUT_MS};
    uint64_t now = START_MS;

    (void)state;
    http_pace_head_end(&p, false, now);
    for (unsigned i = 0; i < 100; i++) {
        http_pace_body(&p, PACE_LEAST, 0);
        now += TIMEOUT_MS;
        assert_null(http_pace_check(&p, now));
    }
    http_pace_body(&p, PACE_LEAST - 1, 0);
    assert_null(http_pace_check(&p, now + TIMEOUT_MS - 1));
    assert_non_null(http_pace_check(&p, now + TIMEOUT_MS));
}

static void a_kept_body_has_an_end_however_it_moves(void **state)
{
    struct http_pace p = {.timeout_ms = TIMEOUT_MS, .kept = true};
    uint64_t now = START_MS;
    unsigned windows = 0;

    (void)state;
    http_pace_head_end(&p, false, now);
    for (; !http_pace_check(&p, now) && windows < 100; windows++) {
        http_pace_body(&p, 2 * PACE_LEAST, 0);
        now += TIMEOUT_MS;
    }
    assert_in_range(windows, 4, 6);
}

static void the_time_that_we_take_is_not_the_servers(void **state)
{
    struct http_pace p = {.timeout_ms = TIMEOUT_MS};

    (void)state;
    http_pace_head_end(&p, false, START_MS);
    http_pace_body(&p, 1, 10 * TIMEOUT_MS);
    assert_null(http_pace_check(&p, START_MS + 10 * TIMEOUT_MS + 1));
    assert_non_null(http_pace_check(&p, START_MS + 11 * TIMEOUT_MS));
}

static void patience_has_an_end_too(void **state)
{
    struct http_pace p = {.timeout_ms = TIMEOUT_MS, .kept = true, .patient = true};

    (void)state;
    http_pace_head_end(&p, false, START_MS);
    assert_null(http_pace_check(&p, START_MS + PACE_PATIENT_MS));
    assert_non_null(http_pace_check(&p, START_MS + PACE_PATIENT_MS + 1));
}

static void trailers_have_a_size(void **state)
{
    struct http_pace p = {.timeout_ms = TIMEOUT_MS};

    (void)state;
    assert_null(http_pace_trailer(&p, PACE_TRAILER_MAX));
    assert_non_null(http_pace_trailer(&p, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_has_the_timeout),
        cmocka_unit_test(each_interim_head_begins_anew_and_they_are_counted),
        cmocka_unit_test(a_body_must_move_in_each_window),
        cmocka_unit_test(a_kept_body_has_an_end_however_it_moves),
        cmocka_unit_test(the_time_that_we_take_is_not_the_servers),
        cmocka_unit_test(patience_has_an_end_too),
        cmocka_unit_test(trailers_have_a_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
