/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka.h relies on the includes above. */
#include <cmocka.h>

enum { STACK = 256 * 1024 };

struct seen {
    sigset_t mask;
    size_t stack;
};

static void *read_mask_and_stack(void *ctx)
{
    struct seen *s = ctx;
    pthread_attr_t attr;

    pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstacksize(&attr, &s->stack);
        pthread_attr_destroy(&attr);
    }
    return NULL;
}

static void a_thread_has_all_signals_blocked_and_the_given_stack(void **state)
{
    struct seen s = {0};
    pthread_t thread;

    (void)state;
    assert_int_equal(thread_start(&thread, STACK, read_mask_and_stack, &s), 0);
    pthread_join(thread, NULL);
    assert_int_equal(s.stack, STACK);
    assert_true(sigismember(&s.mask, SIGTERM) && sigismember(&s.mask, SIGINT) && sigismember(&s.mask, SIGCHLD) &&
                sigismember(&s.mask, SIGUSR2));
}

static void the_callers_own_mask_stays(void **state)
{
    sigset_t usr1, now;
    struct seen s = {0};
    pthread_t thread;

    (void)state;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &usr1, NULL);
    assert_int_equal(thread_start(&thread, STACK, read_mask_and_stack, &s), 0);
    pthread_join(thread, NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    assert_true(sigismember(&now, SIGUSR1));
    assert_false(sigismember(&now, SIGTERM));
}

static void a_stack_that_has_no_room_is_an_error_and_changes_nothing(void **state)
{
    struct seen s = {0};
    pthread_t thread = (pthread_t)42;
    sigset_t now;

    (void)state;
    assert_int_equal(thread_start(&thread, (size_t)1 << 60, read_mask_and_stack, &s), -EAGAIN);
    assert_true(thread == (pthread_t)42);
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    assert_false(sigismember(&now, SIGTERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_all_signals_blocked_and_the_given_stack),
        cmocka_unit_test(the_callers_own_mask_stays),
        cmocka_unit_test(a_stack_that_has_no_room_is_an_error_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
