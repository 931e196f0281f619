/* SPDX-License-Identifier: Apache-2.0
 *
 * The library's own thread looks sockets up from its start on, while the first connection is added.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/http_socket.h"

enum { PROCESSES = 200, FD = 9 };

static atomic_bool looks, stop;

static void *look_up(void *ctx)
{
    (void)ctx;
    while (!atomic_load(&stop)) {
        (void)http_socket_of(FD);
        atomic_store(&looks, true);
    }
    return NULL;
}

/* The table is made once in a process. */
static void add_the_first(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, look_up, NULL) != 0)
        _exit(1);
    while (!atomic_load(&looks))
        ;
    if (!http_socket_set(FD + 1, NULL))
        _exit(1);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    _exit(0);
}

static void sockets_can_be_looked_up_while_the_first_is_added(void **state)
{
    (void)state;
    for (int i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0)
            add_the_first();
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_can_be_looked_up_while_the_first_is_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
