/* SPDX-License-Identifier: Apache-2.0
 *
 * hog MIB [MS]: takes MIB of memory and writes to all of it, a MiB each MS milliseconds; then ends with 0. Under a
 * limit that is smaller, the kernel kills it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1 << 20)

int main(int argc, char **argv)
{
    long wanted = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    long pause_ms = argc > 2 ? strtol(argv[2], NULL, 10) : 0;

    for (long taken = 1; taken <= wanted; taken++) {
        char *memory = malloc(MIB);

        if (!memory) {
            perror("hog: malloc");
            return 1;
        }
        memset(memory, 0x5a, MIB);
        if (taken % 16 == 0) {
            printf("%ld MiB\n", taken);
            fflush(stdout);
        }
        if (pause_ms > 0)
            usleep((useconds_t)pause_ms * 1000);
    }
    return 0;
}
