/* SPDX-License-Identifier: Apache-2.0
 *
 * A process with 8 MiB of memory and an HTTP server on its own loopback. answers PORT [FOLDER]: the path says what it
 * does; SIGUSR2 makes it write FOLDER/Heap.heapsnapshot. It says that it is ready, and ends with its input.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n"

/* As V8 begins one; strings come last, and end it. */
#define TEXT "{\"snapshot\":{\"meta\":{}},\"nodes\":[],\"edges\":[],\"strings\":[]}\n"

static char memory[8 << 20], block[1 << 16];
static const char *folder;

static void on_signal(int number)
{
    char path[256];
    int fd;

    (void)number;
    snprintf(path, sizeof(path), "%s/Heap.heapsnapshot", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0 || write(fd, TEXT, sizeof(TEXT) - 1) != sizeof(TEXT) - 1)
        abort();
    close(fd);
}

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        exit(0);
}

static void answer(int fd, const char *path)
{
    if (!strncmp(path, "/debug/pprof/heap", 17)) {
        say(fd, OK "Content-Length: 16\r\n\r\n");
        if (write(fd, "\x1f\x8b\x08\0\0\0\0\0the heap", 16) < 0)
            exit(0);
    } else if (!strncmp(path, "/metrics", 8))
        say(fd, OK "\r\nheap_bytes 8388608\n");
    else if (!strncmp(path, "/empty", 6))
        say(fd, OK "Content-Length: 0\r\n\r\n");
    else if (!strncmp(path, "/500", 4))
        say(fd, "HTTP/1.1 500 No\r\nContent-Length: 6\r\n\r\nsorry\n");
    else if (!strncmp(path, "/redirect", 9))
        say(fd, "HTTP/1.1 302 Over there\r\nLocation: /metrics?token=hush\r\nContent-Length: 0\r\n\r\n");
    else if (!strncmp(path, "/short", 6))
        say(fd, OK "Content-Length: 100\r\n\r\nten bytes.");
    else if (!strncmp(path, "/garbage", 8))
        say(fd, "\x01\x02\x03 this is no HTTP\r\n\r\n");
    else if (!strncmp(path, "/drip", 5))
        for (say(fd, OK "\r\n");; usleep(20000))
            say(fd, ".");
    else if (!strncmp(path, "/endless", 8))
        for (say(fd, OK "\r\n");;)
            if (write(fd, block, sizeof(block)) < 0)
                exit(0);
    sleep(!strncmp(path, "/hang", 5) ? 3600 : 0);
}

static void serve(int fd)
{
    char request[4096] = "";
    char *path;

    if (read(fd, request, sizeof(request) - 1) > 0 && (path = strchr(request, ' ')))
        answer(fd, path + 1);
    exit(0);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pollfd wait[2] = {{.events = POLLIN}, {.events = POLLIN}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    memset(memory, 1, sizeof(memory));
    memset(block, 'x', sizeof(block));
    at.sin_port = htons((unsigned short)atoi(argv[1]));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 16) < 0)
        return 1;
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (argc > 2) {
        folder = argv[2];
        signal(SIGUSR2, on_signal);
    }
    puts("ready");
    fflush(stdout);
    for (wait[0].fd = fd;;) {
        if (poll(wait, 2, -1) <= 0)
            continue;
        if (wait[1].revents)
            return 0;
        int peer = accept(fd, NULL, NULL);
        if (peer >= 0 && fork() == 0)
            serve(peer);
        close(peer);
    }
}
