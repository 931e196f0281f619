/* SPDX-License-Identifier: Apache-2.0
 *
 * Deadlocks and queues in graphs of any shape: small ones by hand, random ones against a walk from each thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "threads/thread_waits.h"

enum { MANY = 40 };

/* Thread i waits for lock wants[i] (THREAD_NONE: for none), lock i is held by owner[i]. */
static void graph(struct thread_dump *d, const uint32_t *wants, const uint32_t *owner, size_t threads, size_t locks)
{
    d->thread = calloc(threads, sizeof(*d->thread));
    d->lock = calloc(locks, sizeof(*d->lock));
    d->thread_count = threads;
    d->lock_count = locks;
    for (size_t i = 0; i < threads; i++)
        d->thread[i] = (struct dumped_thread){.name = "", .wait = THREAD_ENTERS, .lock = wants[i]};
    for (size_t i = 0; i < locks; i++)
        d->lock[i] = (struct dumped_lock){"", "", owner[i]};
}

static void done(struct thread_dump *d, struct thread_waits *w)
{
    thread_waits_done(w);
    free(d->thread);
    free(d->lock);
}

static void a_queue_counts_who_waits_behind_others(void **state)
{
    /* 0 holds lock 0; 1 wants it and holds lock 1; 2 and 3 want that; 4 wants lock 2, which has no owner. */
    static const uint32_t wants[] = {THREAD_NONE, 0, 1, 1, 2}, owner[] = {0, 1, THREAD_NONE};
    struct thread_dump d = {0};
    struct thread_waits w;

    (void)state;
    graph(&d, wants, owner, 5, 3);
    assert_int_equal(thread_waits_find(&d, &w), 0);
    assert_int_equal(w.deadlock_count, 0);
    assert_int_equal(w.queue_count, 2);
    assert_int_equal(w.queue[0].owner, 0);
    assert_int_equal(w.queue[0].all, 3);
    assert_int_equal(w.queue[0].direct, 1);
    assert_int_equal(w.queue[1].owner, THREAD_NONE);
    assert_int_equal(w.queue[1].first, 4);
    assert_int_equal(w.blocker[3], 1);
    done(&d, &w);
}

static void a_deadlock_counts_who_waits_behind_it(void **state)
{
    /* 0, 1 and 2 in a circle; 3 waits for one of them, 4 for 3. */
    static const uint32_t wants[] = {1, 2, 0, 0, 3}, owner[] = {0, 1, 2, 3};
    struct thread_dump d = {0};
    struct thread_waits w;

    (void)state;
    graph(&d, wants, owner, 5, 4);
    assert_int_equal(thread_waits_find(&d, &w), 0);
    assert_int_equal(w.deadlock_count, 1);
    assert_int_equal(w.deadlock[0].count, 3);
    assert_int_equal(w.deadlock[0].behind, 2);
    assert_int_equal(w.queue_count, 0);
    done(&d, &w);
}

/* Where a walk from a thread ends: the last waiting thread's lock, or THREAD_NONE in a circle. */
static uint32_t walk(const struct thread_dump *d, uint32_t thread)
{
    for (size_t steps = 0; steps <= d->thread_count; steps++) {
        uint32_t lock = d->thread[thread].lock, next = d->lock[lock].owner;

        if (next == THREAD_NONE || next == thread || d->thread[next].lock == THREAD_NONE)
            return lock;
        thread = next;
    }
    return THREAD_NONE;
}

static void random_graphs(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        uint32_t wants[MANY], owner[MANY], circle = 0, in_circle = 0;
        struct thread_dump d = {0};
        struct thread_waits w;

        for (size_t i = 0; i < MANY; i++) {
            wants[i] = rand() % 4 ? (uint32_t)rand() % MANY : THREAD_NONE;
            owner[i] = rand() % 8 ? (uint32_t)rand() % MANY : THREAD_NONE;
        }
        graph(&d, wants, owner, MANY, MANY);
        assert_int_equal(thread_waits_find(&d, &w), 0);
        for (uint32_t i = 0; i < MANY; i++)
            circle += wants[i] != THREAD_NONE && walk(&d, i) == THREAD_NONE;
        for (size_t i = 0; i < w.deadlock_count; i++)
            in_circle += w.deadlock[i].count + w.deadlock[i].behind;
        assert_int_equal(in_circle, circle);
        for (size_t q = 0; q < w.queue_count; q++) {
            uint32_t all = 0, direct = 0;

            for (uint32_t i = 0; i < MANY; i++) {
                if (wants[i] == THREAD_NONE || walk(&d, i) != w.queue[q].lock)
                    continue;
                all++;
                direct += wants[i] == w.queue[q].lock;
            }
            assert_int_equal(w.queue[q].all, all);
            assert_int_equal(w.queue[q].direct, direct);
            assert_true(q == 0 || w.queue[q].all <= w.queue[q - 1].all);
        }
        done(&d, &w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_counts_who_waits_behind_others),
        cmocka_unit_test(a_deadlock_counts_who_waits_behind_it),
        cmocka_unit_test(random_graphs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
