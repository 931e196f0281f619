/* SPDX-License-Identifier: Apache-2.0
 *
 * Fills /tmp by processes that live for some milliseconds: shortlived MIB. Says "ready", waits for a line, then starts
 * one child after the other, each larger than it is itself, which writes a MiB and ends. With a second line it ends
 * itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, SIZE = 4 * MIB, LIVES_US = 12000 };

static int fill(int number)
{
    char *memory = malloc(SIZE), path[32];
    int fd;

    if (!memory)
        return 1;
    memset(memory, number + 1, SIZE);
    snprintf(path, sizeof(path), "/tmp/%d", number);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    usleep(LIVES_US);
    return write(fd, memory, MIB) == MIB ? 0 : 1;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 0;
    char line[8];

    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        return 0;
    for (int i = 0; i < count; i++) {
        pid_t child = fork();

        if (child == 0)
            _exit(fill(i));
        if (child < 0 || waitpid(child, NULL, 0) < 0)
            return 1;
    }
    puts("full");
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) ? 0 : 1;
}
