/* SPDX-License-Identifier: Apache-2.0
 *
 * What takes too long, and what may. Where the server only dawdles, a stepped clock counts (canned_server.h); where
 * nothing comes at all, libcurl looks up once a second, and time is real.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/mem.h"
#include "canned_server.h"

enum { SHORT_MS = 400, ATTEMPTS = 5 };

struct pieces {
    unsigned left;
    unsigned takes_ms; /* of the stepped clock, for each */
};

static ssize_t give(void *ctx, void *data, size_t size)
{
    struct pieces *p = ctx;
    assert_true(size >= 5);
    if (p->left == 0)
        return 0;
    p->left--;
    atomic_fetch_add(&stepped_ms, p->takes_ms);
    memcpy(data, "piece", 5);
    return 5;
}

static void a_slow_source_of_ours_is_no_stall(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    struct pieces pieces = {.left = 3, .takes_ms = 1800};
    (void)state;
    fixture_start_with(&f, "PUT", 1000, true, &x, 1);
    f.r.read = give;
    f.r.ctx = &pieces;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 201);
}

static void silence_is_a_stall(void **state)
{
    static const struct exchange before = {.answer = "", .after = FORGET};
    static const struct exchange within = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbytes",
                                           .after = FORGET};
    const struct exchange *x[] = {&before, &within};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(x); i++) {
        CLEANUP(fixture_done) struct fixture f = {0};
        fixture_start_with(&f, "GET", SHORT_MS, false, x[i], 1);
        uint64_t begun_ms = clock_mono_ms();
        assert_int_equal(perform(&f), -FAULT_STALLED);
        uint64_t took_ms = clock_mono_ms() - begun_ms;
        assert_true(took_ms >= SHORT_MS && took_ms < 10000);
        assert_non_null(strstr(f.e.msg, "no byte moved for 0.4 s"));
        assert_null(strstr(f.e.msg, "hush"));
    }
}

static void a_server_that_takes_no_body_is_a_stall(void **state)
{
    static const struct exchange x = {.answer = "", .deaf = true, .after = FORGET};
    CLEANUP(fixture_done) struct fixture f = {0};
    size_t size = (size_t)64 * 1024 * 1024; /* more than the kernel takes */
    CLEANUP_FREE char *body = calloc(1, size);
    (void)state;
    assert_non_null(body);
    fixture_start_with(&f, "PUT", SHORT_MS, false, &x, 1);
    f.r.body = body;
    f.r.body_size = size;
    assert_int_equal(perform(&f), -FAULT_STALLED);
}

/* The server never falls silent for long by the stepped clock, which hardly moves: only libcurl's limit can end it. */
static void slow_is_too_slow_beyond_a_limit(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", .after = FORGET};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start_with(&f, "GET", 60 * 1000, true, &x, 1);
    f.r.limit_ms = SHORT_MS;
    uint64_t begun_ms = clock_mono_ms();
    assert_int_equal(perform(&f), -FAULT_STALLED);
    assert_true(clock_mono_ms() - begun_ms + 5 >= SHORT_MS); /* the other clock is libcurl's */
    assert_non_null(strstr(f.e.msg, "within 0.4 s"));
}

static void slow_is_no_stall(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
                                                "slow, and slower, but it does end at last",
                                      .trickle_ms = 30};
    CLEANUP(fixture_done) struct fixture f = {0};
    uint64_t begun_ms = atomic_load(&stepped_ms);
    (void)state;
    fixture_start_with(&f, "GET", 2000, true, &x, 1);
    assert_int_equal(perform(&f), 0);
    assert_true(atomic_load(&stepped_ms) - begun_ms > 2000);
    assert_int_equal(f.a.body.size, 40);
}

/* Bytes move all the time, and nothing comes of it. */
static void an_answer_that_does_not_end_is_given_up(void **state)
{
#define LINE "X-A: 0123456789\r\n"
#define LINES LINE LINE LINE LINE LINE LINE LINE LINE LINE LINE
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
    static const struct {
        struct exchange x;
        const char *word;
    } cases[] = {
        {{.answer = "HTTP/1.1 200 OK\r\n" LINES LINES LINES, .trickle_ms = 10, .after = FORGET}, "the head of"},
        {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" LINES LINES LINES,
          .trickle_ms = 10,
          .after = FORGET},
         "drop by drop"},
        {{.answer = "HTTP/1.1 403 No\r\nContent-Length: 1000\r\n\r\n" LINES LINES LINES,
          .trickle_ms = 10,
          .after = FORGET},
         "drop by drop"},
        {{.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n" LINES LINES LINES,
          .trickle_ms = 10,
          .after = FORGET},
         "drop by drop"},
        {{.answer = CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE,
          .after = FORGET},
         "1xx again"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(fixture_done) struct fixture f = {0};
        uint64_t begun_ms = atomic_load(&stepped_ms);
        fixture_start_with(&f, "GET", 1000, true, &cases[i].x, 1);
        assert_int_equal(perform(&f), -FAULT_FORMAT);
        assert_true(atomic_load(&stepped_ms) - begun_ms < 8000);
        if (!strstr(f.e.msg, cases[i].word))
            fail_msg("%zu: %s", i, f.e.msg);
    }
}

static void a_line_that_does_not_end_is_given_up(void **state)
{
    static const struct exchange x = {
        .answer = "HTTP/1.1 200 OK\r\nX-A: 0123456789012345678901234567890123456789012345678901234567890123456789"
                  "01234567890123456789012345678901234567890123456789012345678901234567890123456789",
        .trickle_ms = 40,
        .after = FORGET};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start_with(&f, "GET", 1500, true, &x, 1);
    assert_int_equal(perform(&f), -FAULT_FORMAT);
    assert_non_null(strstr(f.e.msg, "does not come to an end"));
}

static void a_patient_request_takes_drops(void **state)
{
#define BLANKS "                                        "
    static const struct exchange x = {
        .answer = "HTTP/1.1 200 OK\r\nContent-Length: 160\r\n\r\n" BLANKS BLANKS BLANKS BLANKS, .trickle_ms = 20};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start_with(&f, "POST", 1800, true, &x, 1);
    f.r.patient = true;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.body.size, 160);
}

/* Whether a machine with other things to do has made the stall itself, by a server that was not run for so long. */
static bool was_held_up(struct fixture *f, int result, unsigned timeout_ms)
{
    return (result == -FAULT_STALLED || result == -FAULT_FORMAT) && atomic_load(&f->server.paused_ms) > timeout_ms / 2;
}

/* libcurl is done with the body at once: it lies in the kernel's queue, which empties slowly. */
static void a_queue_that_empties_slowly_is_no_stall(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .sip_ms = 50};
    size_t size = (size_t)34 * SIP_SIZE;
    CLEANUP_FREE char *body = calloc(1, size);
    (void)state;
    assert_non_null(body);
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        CLEANUP(fixture_done) struct fixture f = {0};
        fixture_start_with(&f, "PUT", 1000, false, &x, 1);
        f.r.body = body;
        f.r.body_size = size;
        uint64_t begun_ms = clock_mono_ms();
        int r = perform(&f);
        if (was_held_up(&f, r, 1000))
            continue;
        assert_int_equal(r, 0);
        assert_true(clock_mono_ms() - begun_ms > 1500);
        assert_int_equal(f.a.status, 200);
        return;
    }
    fail_msg("this machine stood still each time");
}

static void a_tls_handshake_without_an_answer_is_a_stall(void **state)
{
    static const struct exchange x = {.answer = "", .deaf = true, .after = FORGET};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start_with(&f, "GET", SHORT_MS, false, &x, 1);
    snprintf(f.url, sizeof(f.url), "https://127.0.0.1:%u/", f.server.port);
    assert_int_equal(perform(&f), -FAULT_STALLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_source_of_ours_is_no_stall),
        cmocka_unit_test(silence_is_a_stall),
        cmocka_unit_test(a_server_that_takes_no_body_is_a_stall),
        cmocka_unit_test(slow_is_too_slow_beyond_a_limit),
        cmocka_unit_test(slow_is_no_stall),
        cmocka_unit_test(an_answer_that_does_not_end_is_given_up),
        cmocka_unit_test(a_line_that_does_not_end_is_given_up),
        cmocka_unit_test(a_patient_request_takes_drops),
        cmocka_unit_test(a_queue_that_empties_slowly_is_no_stall),
        cmocka_unit_test(a_tls_handshake_without_an_answer_is_a_stall),
    };
    return cmocka_run_group_tests(tests, no_proxy, NULL);
}
