/* SPDX-License-Identifier: Apache-2.0
 *
 * Work on several threads: all of it is done, once, and at the same time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/parallel.h"

struct work {
    pthread_mutex_t lock;
    pthread_barrier_t *together;
    unsigned left, done, threads;
};

static void do_some(void *ctx)
{
    struct work *w = ctx;

    if (w->together)
        pthread_barrier_wait(w->together);
    pthread_mutex_lock(&w->lock);
    w->threads++;
    for (; w->left > 0; w->left--)
        w->done++;
    pthread_mutex_unlock(&w->lock);
}

static void all_is_done_once(void **state)
{
    struct work w = {.lock = PTHREAD_MUTEX_INITIALIZER, .left = 1000};

    (void)state;
    parallel_run(8, do_some, &w);
    assert_int_equal(w.done, 1000);
    assert_int_equal(w.threads, 8);
}

/* The barrier lets nobody through until all are there: one after the other would never end. */
static void all_threads_run_at_the_same_time(void **state)
{
    pthread_barrier_t together;
    struct work w = {.lock = PTHREAD_MUTEX_INITIALIZER, .together = &together};

    (void)state;
    assert_int_equal(pthread_barrier_init(&together, NULL, 16), 0);
    parallel_run(16, do_some, &w);
    assert_int_equal(w.threads, 16);
    pthread_barrier_destroy(&together);
}

static void none_is_one_and_too_many_are_cut(void **state)
{
    struct work one = {.lock = PTHREAD_MUTEX_INITIALIZER, .left = 3}, many = one;

    (void)state;
    parallel_run(0, do_some, &one);
    assert_int_equal(one.threads, 1);
    assert_int_equal(one.done, 3);
    parallel_run(10000, do_some, &many);
    assert_int_equal(many.threads, PARALLEL_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_done_once),
        cmocka_unit_test(all_threads_run_at_the_same_time),
        cmocka_unit_test(none_is_one_and_too_many_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
