/* SPDX-License-Identifier: Apache-2.0
 *
 * A process whose threads are in known functions and whose memory holds known values. pinned [MIB [spin]]: so much more
 * memory, filled; a thread that never sleeps. Then it counts the lines of its input aloud, and SIGUSR1 too.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

char known[4096] = "the known buffer";
char *sparse, *shared, *hidden, *locked, *filled;
size_t filled_size;
volatile unsigned long rounds, usr1;

__attribute__((noinline)) void sit_and_wait(void)
{
    for (;;) {
        pause();
        rounds++;
    }
}

__attribute__((noinline)) void spin_around(void)
{
    for (;;)
        rounds++;
}

static void *sitter(void *arg)
{
    sit_and_wait();
    return arg;
}

static void *spinner(void *arg)
{
    spin_around();
    return arg;
}

static void on_usr1(int number)
{
    usr1 += number == SIGUSR1;
}

static char *map(size_t size, int protection, int flags)
{
    char *at = mmap(NULL, size, protection, flags | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        exit(1);
    return at;
}

__attribute__((noinline)) int answer_lines(void)
{
    char line[16];
    int count = 0;

    while (fgets(line, sizeof(line), stdin)) {
        printf("%d %lu\n", ++count, usr1);
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_usr1, .sa_flags = SA_RESTART};
    pthread_t thread;
    pid_t child;

    sigaction(SIGUSR1, &action, NULL);
    sparse = map(4UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    strcpy(sparse + (2UL << 30), "in the middle");
    shared = map(64UL << 20, PROT_READ | PROT_WRITE, MAP_SHARED);
    if ((child = fork()) == 0) {
        strcpy(shared + (32UL << 20), "by the child");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    hidden = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    strcpy(hidden, "not to be dumped");
    madvise(hidden, 4096, MADV_DONTDUMP);
    locked = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    strcpy(locked, "nobody may read this");
    mprotect(locked, 4096, PROT_NONE);
    if (argc > 1 && (filled_size = (size_t)atol(argv[1]) << 20) > 0) {
        filled = map(filled_size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        for (size_t at = 0; at < filled_size; at += sizeof(at))
            memcpy(filled + at, &(size_t){at * 0x9E3779B97F4A7C15UL}, sizeof(at));
    }
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, sitter, NULL);
    if (argc > 2)
        pthread_create(&thread, NULL, spinner, NULL);
    puts("ready");
    fflush(stdout);
    return answer_lines();
}
