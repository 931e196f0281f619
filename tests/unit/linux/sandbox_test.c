/* SPDX-License-Identifier: Apache-2.0
 *
 * In the sandbox a process computes, and reads and writes what it has; anything else kills it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "base/wait.h"
#include "linux/sandbox.h"

enum { INPUT = 3, FAILED = 1, BEHIND = 9 };

/* In a sandboxed child, with a file as descriptor INPUT. The child's wait status. */
static int run_inside(int (*fn)(void))
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        const struct sandbox s = {.fd_most = INPUT};
        unsigned missing = 0;
        int fd = open("/proc/self/exe", O_RDONLY);

        if (fd < 0 || dup2(fd, INPUT) < 0 || dup2(fd, BEHIND) < 0 || sandbox_enter(&s, &missing, NULL) < 0 || missing)
            _exit(FAILED);
        _exit(fn());
    }
    return wait_child(child);
}

static int opens(void)
{
    return open("/proc/self/status", O_RDONLY) >= 0;
}

static int connects(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static int forks(void)
{
    if (fork() == 0)
        _exit(0);
    return 0;
}

static int executes(void)
{
    char *const argv[] = {(char *)"true", NULL};

    return execv("/proc/self/exe", argv);
}

static int traces(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0;
}

static int kills(void)
{
    return kill(getppid(), 0) == 0;
}

static int maps_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static int makes_code_of_data(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static void what_could_harm_kills_it(void **state)
{
    int (*const bad[])(void) = {opens, connects, forks, executes, traces, kills, maps_code, makes_code_of_data};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int status = run_inside(bad[i]);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);
    }
}

static void *add_one(void *ctx)
{
    char *big = malloc(8 << 20);

    if (big) {
        memset(big, 1, 8 << 20);
        *(int *)ctx += big[100];
    }
    free(big);
    return NULL;
}

static int computes(void)
{
    void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, INPUT, 0);
    unsigned char head[4];
    pthread_t thread;
    int count = 0;

    if (pread(INPUT, head, sizeof(head), 0) != 4 || mapped == MAP_FAILED || memcmp(mapped, head, 4) != 0)
        return 2;
    for (int i = 0; i < 3; i++)
        if (thread_start(&thread, 0, add_one, &count) < 0 || pthread_join(thread, NULL) != 0)
            return 3;
    return count == 3 ? 0 : 4;
}

static void it_reads_maps_and_computes_on_threads(void **state)
{
    (void)state;
    assert_int_equal(run_inside(computes), 0);
}

static int has_only_its_descriptors(void)
{
    char byte;

    return pread(INPUT, &byte, 1, 0) != 1 || pread(BEHIND, &byte, 1, 0) == 1;
}

static void other_descriptors_are_closed(void **state)
{
    (void)state;
    assert_int_equal(run_inside(has_only_its_descriptors), 0);
}

static int crashes(void)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return 0;
}

static void a_crash_is_a_crash_and_leaves_no_core(void **state)
{
    int status = run_inside(crashes);

    (void)state;
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && !WCOREDUMP(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_could_harm_kills_it),
        cmocka_unit_test(it_reads_maps_and_computes_on_threads),
        cmocka_unit_test(other_descriptors_are_closed),
        cmocka_unit_test(a_crash_is_a_crash_and_leaves_no_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
