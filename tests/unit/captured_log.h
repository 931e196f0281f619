/* SPDX-License-Identifier: Apache-2.0
 *
 * What the code under test logs, caught instead of stderr. After cmocka.h.
 */
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

static struct {
    int log, stderr_fd;
    char text[256 * 1024];
} captured;

/* For a set_up: false if it fails. */
static inline bool capture_log(void)
{
    captured.log = memfd_create("log", MFD_CLOEXEC);
    captured.stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    return captured.log >= 0 && captured.stderr_fd >= 0 && dup2(captured.log, STDERR_FILENO) >= 0;
}

static inline void release_log(void)
{
    dup2(captured.stderr_fd, STDERR_FILENO);
    close(captured.stderr_fd);
    close(captured.log);
}

static inline const char *captured_log(void)
{
    ssize_t n = pread(captured.log, captured.text, sizeof(captured.text) - 1, 0);

    assert_true(n >= 0);
    captured.text[n] = '\0';
    return captured.text;
}

static inline bool logged(const char *words)
{
    return strstr(captured_log(), words) != NULL;
}
