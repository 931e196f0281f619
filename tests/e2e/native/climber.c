/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes memory at a steady speed, and says how long after its cgroup's usage crossed a number of bytes it got SIGUSR1:
 * climber USAGE_FILE BYTES MIB_PER_S. It takes all but the last four seconds' worth at once, prints "ready", waits for
 * a line, climbs, and prints the time in microseconds, or "none" if the signal did not come within two seconds. One
 * process, one clock.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { STEP = 64 << 10, NEAR = 8 << 20, WAIT_US = 2000000 };

static volatile sig_atomic_t signalled;
static volatile long long signalled_at;

static long long now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void on_signal(int number)
{
    (void)number;
    if (!signalled)
        signalled_at = now_us();
    signalled = 1;
}

static long long usage(int fd)
{
    char text[32] = "";

    return pread(fd, text, sizeof(text) - 1, 0) > 0 ? atoll(text) : 0;
}

int main(int argc, char **argv)
{
    long long threshold = argc > 3 ? atoll(argv[2]) : 0, speed = argc > 3 ? atoll(argv[3]) << 20 : 0;
    long long crossed = 0, begun, base, taken = 0, room = threshold + threshold / 4;
    int fd = argc > 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    char *memory, line[8];

    if (fd < 0 || speed <= 0 ||
        (memory = mmap(NULL, (size_t)room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
        return 2;
    signal(SIGUSR1, on_signal);
    for (; taken + 4 * speed < threshold; taken += STEP)
        memset(memory + taken, 1, STEP);
    base = taken;
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        return 1;
    begun = now_us();
    while (!(crossed && (signalled || now_us() - crossed > WAIT_US))) {
        while (taken + STEP <= room && (double)(taken - base) < (double)(now_us() - begun) / 1e6 * (double)speed) {
            memset(memory + taken, 1, STEP);
            taken += STEP;
            if (!crossed && taken > threshold - NEAR && usage(fd) >= threshold)
                crossed = now_us();
        }
        usleep(200);
    }
    if (signalled)
        printf("%lld\n", signalled_at - crossed);
    else
        puts("none");
    return 0;
}
