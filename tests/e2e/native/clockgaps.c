/* SPDX-License-Identifier: Apache-2.0
 *
 * Fills MIB of memory, and watches the clock: clockgaps MIB. Says "ready"; then for each line of its input the longest
 * time, in microseconds, that its clock has jumped since the line before, as it does while the process stands still.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static atomic_ullong longest;

static unsigned long long now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long long)t.tv_sec * 1000000 + (unsigned long long)t.tv_nsec / 1000;
}

static void *watch(void *arg)
{
    for (unsigned long long now, last = now_us();; last = now) {
        usleep(500);
        now = now_us();
        if (now - last > atomic_load(&longest))
            atomic_store(&longest, now - last);
    }
    return arg;
}

int main(int argc, char **argv)
{
    size_t words = argc > 1 ? (size_t)atol(argv[1]) << 18 : 0;
    unsigned *memory = malloc(words * 4 + 4), next = 1;
    pthread_t thread;
    char line[8];

    for (size_t i = 0; memory && i < words; i++) {
        next = next * 1664525u + 1013904223u;
        memory[i] = i % 2 ? next >> 20 : 7;
    }
    if (!memory || pthread_create(&thread, NULL, watch, NULL) != 0)
        return 1;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        printf("%llu\n", atomic_exchange(&longest, 0));
        fflush(stdout);
    }
    return 0;
}
