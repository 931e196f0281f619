/* SPDX-License-Identifier: Apache-2.0
 *
 * Every part is worked on once, never more at a time than there are threads, and no caller waits for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/sink.h"
#include "store/upload_pool.h"

enum { PARTS = 500 };

struct count {
    struct upload_pool *uploads;
    atomic_uint worked[PARTS], now, most, opened, closed, unblocked;
    atomic_bool hold; /* work waits until this is false */
    uint64_t wait_ms;
    atomic_int wait_result;
};

static void work(void *ctx, void **own, struct part *p)
{
    struct count *c = ctx;
    unsigned now = atomic_fetch_add(&c->now, 1) + 1, most = atomic_load(&c->most);
    sigset_t blocked;

    while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now))
        ;
    if (!*own) {
        *own = c;
        atomic_fetch_add(&c->opened, 1);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGINT))
        atomic_fetch_add(&c->unblocked, 1);
    while (atomic_load(&c->hold))
        clock_sleep_ms(1);
    if (c->wait_ms)
        atomic_store(&c->wait_result, upload_pool_wait(c->uploads, c->wait_ms));
    atomic_fetch_add(&c->worked[p->number], 1);
    atomic_fetch_sub(&c->now, 1);
}

static void leave(void *own)
{
    atomic_fetch_add(&((struct count *)own)->closed, 1);
}

static const struct upload_pool_ops OPS = {.work = work, .close = leave};

static struct count *begin(unsigned uploads)
{
    struct count *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    assert_int_equal(upload_pool_new(uploads, &OPS, c, &c->uploads), 0);
    return c;
}

static void every_part_is_worked_on_once_by_at_most_so_many(void **state)
{
    (void)state;
    static struct part parts[PARTS];
    struct count *c = begin(3);

    for (unsigned i = 0; i < PARTS; i++) {
        parts[i].number = i;
        assert_int_equal(upload_pool_put(c->uploads, &parts[i]), 0);
    }
    upload_pool_drain(c->uploads);
    for (unsigned i = 0; i < PARTS; i++)
        assert_int_equal(c->worked[i], 1);
    assert_true(c->most >= 1 && c->most <= 3);
    assert_true(c->opened >= 1 && c->opened <= 3);
    assert_int_equal(c->closed, 0);
    assert_int_equal(c->unblocked, 0);
    upload_pool_free(c->uploads);
    assert_int_equal(c->closed, c->opened);
    free(c);
}

static void threads_start_with_the_first_part_only(void **state)
{
    (void)state;
    struct count *c = begin(4);
    struct part p = {.number = 0};

    upload_pool_drain(c->uploads);
    assert_int_equal(upload_pool_put(c->uploads, &p), 0);
    upload_pool_drain(c->uploads);
    assert_int_equal(c->opened, 1);
    upload_pool_free(c->uploads);
    free(c);
}

struct putter {
    struct count *c;
    struct part *part;
    atomic_int result;
    atomic_bool done;
};

static void *put(void *ctx)
{
    struct putter *p = ctx;

    atomic_store(&p->result, upload_pool_put(p->c->uploads, p->part));
    atomic_store(&p->done, true);
    return NULL;
}

static void handing_over_waits_while_all_are_busy(void **state)
{
    (void)state;
    struct part parts[2] = {{.number = 0}, {.number = 1}};
    struct count *c = begin(1);
    struct putter p = {.c = c, .part = &parts[1]};
    pthread_t thread;

    c->hold = true;
    assert_int_equal(upload_pool_put(c->uploads, &parts[0]), 0);
    assert_int_equal(pthread_create(&thread, NULL, put, &p), 0);
    clock_sleep_ms(50);
    assert_false(p.done);
    c->hold = false;
    pthread_join(thread, NULL);
    assert_int_equal(p.result, 0);
    upload_pool_drain(c->uploads);
    assert_int_equal(c->worked[1], 1);
    upload_pool_free(c->uploads);
    free(c);
}

static void stopping_frees_who_waits_to_hand_over(void **state)
{
    (void)state;
    struct part parts[2] = {{.number = 0}, {.number = 1}};
    struct count *c = begin(1);
    struct putter p = {.c = c, .part = &parts[1]};
    pthread_t thread;

    c->hold = true;
    assert_int_equal(upload_pool_put(c->uploads, &parts[0]), 0);
    assert_int_equal(pthread_create(&thread, NULL, put, &p), 0);
    clock_sleep_ms(20);
    upload_pool_stop(c->uploads);
    pthread_join(thread, NULL);
    assert_int_equal(p.result, -ECANCELED);
    assert_int_equal(upload_pool_put(c->uploads, &parts[1]), -ECANCELED);
    c->hold = false;
    upload_pool_drain(c->uploads);
    assert_int_equal(c->worked[0], 1);
    assert_int_equal(c->worked[1], 0);
    upload_pool_free(c->uploads);
    free(c);
}

static void stopping_ends_a_wait_between_tries(void **state)
{
    (void)state;
    struct part p = {.number = 0};
    struct count *c = begin(1);
    uint64_t before = clock_mono_ms();

    c->wait_ms = 60 * 1000;
    assert_int_equal(upload_pool_put(c->uploads, &p), 0);
    clock_sleep_ms(20);
    assert_false(upload_pool_stopped(c->uploads));
    upload_pool_free(c->uploads);
    assert_true(clock_mono_ms() - before < 10 * 1000);
    assert_int_equal(c->wait_result, -ECANCELED);
    assert_int_equal(c->worked[0], 1);
    free(c);
}

static void a_wait_ends_by_itself(void **state)
{
    (void)state;
    struct count *c = begin(1);
    uint64_t before = clock_mono_ms();

    assert_int_equal(upload_pool_wait(c->uploads, 30), 0);
    assert_true(clock_mono_ms() - before >= 29);
    upload_pool_stop(c->uploads);
    assert_int_equal(upload_pool_wait(c->uploads, 60 * 1000), -ECANCELED);
    upload_pool_free(c->uploads);
    free(c);
}

static void what_was_handed_over_reaches_its_work_before_the_end(void **state)
{
    (void)state;
    struct part parts[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct count *c = begin(3);

    c->hold = true;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(upload_pool_put(c->uploads, &parts[i]), 0);
    upload_pool_stop(c->uploads);
    c->hold = false;
    upload_pool_free(c->uploads);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(c->worked[i], 1);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_worked_on_once_by_at_most_so_many),
        cmocka_unit_test(threads_start_with_the_first_part_only),
        cmocka_unit_test(handing_over_waits_while_all_are_busy),
        cmocka_unit_test(stopping_frees_who_waits_to_hand_over),
        cmocka_unit_test(stopping_ends_a_wait_between_tries),
        cmocka_unit_test(a_wait_ends_by_itself),
        cmocka_unit_test(what_was_handed_over_reaches_its_work_before_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
