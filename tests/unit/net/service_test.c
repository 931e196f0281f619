/* SPDX-License-Identifier: Apache-2.0
 *
 * Small services: how often they are asked, for how long, and how much they may answer. Answers come from an injected
 * transport.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/service.h"

enum { ANSWER_MAX = 1000 };

static struct {
    long status[8]; /* of one answer after the other; a negative one is a fault */
    unsigned asked;
    uint64_t limit_ms; /* of the last request */
    size_t ceiling;    /* of its answer */
    uint64_t slow_ms;  /* it takes so long */
} fake;

static int answer(void *ctx, const struct http_request *r, struct http_answer *a, struct err *e)
{
    long status = fake.status[fake.asked++];

    (void)ctx;
    fake.limit_ms = r->limit_ms;
    fake.ceiling = a->body.ceiling;
    clock_sleep_ms(fake.slow_ms);
    if (status < 0)
        return err_set(e, (int)status, "fake");
    a->status = status;
    return buf_add_text(&a->body, "text");
}

static const struct http_options FAKE = {.transport = answer};

static int reset(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    return 0;
}

static int ask(uint64_t left_ms, uint64_t try_ms, struct http_answer *a, struct err *e)
{
    CLEANUP(service_done)
    struct service s = {
        .name = "the agent", .deadline_ms = clock_mono_ms() + left_ms, .try_ms = try_ms, .answer_max = ANSWER_MAX};
    struct http_request r = {.method = "GET", .url = "http://127.0.0.1/"};
    int result = service_open(&s, &FAKE, e);

    return result < 0 ? result : service_ask(&s, &r, a, e);
}

static void passing_trouble_is_asked_again(void **state)
{
    CLEANUP(service_answer_done) struct http_answer a = {0};
    struct err e = {0};

    (void)state;
    fake.status[0] = 503;
    fake.status[1] = -FAULT_UNREACHABLE;
    fake.status[2] = 200;
    assert_int_equal(ask(5000, 1000, &a, &e), 0);
    assert_int_equal(fake.asked, 3);
    assert_int_equal(a.status, 200);
    assert_string_equal(buf_text(&a.body), "text");
    assert_int_equal(fake.ceiling, ANSWER_MAX);
}

static void a_service_that_stays_busy_is_given_up_after_three_tries(void **state)
{
    CLEANUP(service_answer_done) struct http_answer a = {0};
    struct err e = {0};

    (void)state;
    for (unsigned i = 0; i < 8; i++)
        fake.status[i] = 429;
    assert_int_equal(ask(5000, 1000, &a, &e), -FAULT_BUSY);
    assert_int_equal(fake.asked, 3);
    assert_string_equal(e.msg, "the agent answers 429");
}

static void what_would_be_the_same_again_is_asked_once(void **state)
{
    static const long same[] = {200, 404, 401, -FAULT_STALLED, -FAULT_TLS, -FAULT_FORMAT};

    for (unsigned i = 0; i < ARRAY_SIZE(same); i++) {
        CLEANUP(service_answer_done) struct http_answer a = {0};
        struct err e = {0};

        reset(state);
        fake.status[0] = same[i];
        assert_int_equal(ask(5000, 1000, &a, &e), same[i] < 0 ? same[i] : 0);
        assert_int_equal(fake.asked, 1);
    }
}

static void a_try_takes_no_longer_than_is_left(void **state)
{
    static const struct {
        uint64_t left_ms, try_ms, most_ms;
    } cases[] = {{50000, 1000, 1000}, {700, 1000, 700}, {700, 0, 700}};

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(service_answer_done) struct http_answer a = {0};
        struct err e = {0};

        reset(state);
        fake.status[0] = 200;
        assert_int_equal(ask(cases[i].left_ms, cases[i].try_ms, &a, &e), 0);
        assert_in_range(fake.limit_ms, 1, cases[i].most_ms);
    }
}

static void behind_the_deadline_nothing_is_asked(void **state)
{
    CLEANUP(service_answer_done) struct http_answer a = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(ask(0, 1000, &a, &e), -FAULT_STALLED);
    assert_int_equal(fake.asked, 0);
    assert_string_equal(e.msg, "the agent has not answered in time");
}

static void what_is_left_for_another_try_but_not_for_the_pause_is_not_used(void **state)
{
    CLEANUP(service_answer_done) struct http_answer a = {0};
    struct err e = {0};

    (void)state;
    fake.status[0] = fake.status[1] = 503;
    fake.slow_ms = 450; /* a pause is 50 ms or more, and a try needs 20 ms */
    assert_int_equal(ask(500, 1000, &a, &e), -FAULT_BUSY);
    assert_int_equal(fake.asked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(passing_trouble_is_asked_again, reset),
        cmocka_unit_test_setup(a_service_that_stays_busy_is_given_up_after_three_tries, reset),
        cmocka_unit_test_setup(what_would_be_the_same_again_is_asked_once, reset),
        cmocka_unit_test_setup(a_try_takes_no_longer_than_is_left, reset),
        cmocka_unit_test_setup(behind_the_deadline_nothing_is_asked, reset),
        cmocka_unit_test_setup(what_is_left_for_another_try_but_not_for_the_pause_is_not_used, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
