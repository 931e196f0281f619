/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests that read files below a root: an empty folder to each test, and none of the environment. After cmocka.h.
 */
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static char scratch_root[] = "scratch.XXXXXX";
static int scratch_fd;

static int scratch_set_up(void **state)
{
    (void)state;
    memset(scratch_root + sizeof(scratch_root) - 7, 'X', 6);
    if (!mkdtemp(scratch_root))
        return -1;
    scratch_fd = open(scratch_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return scratch_fd < 0 ? -1 : clearenv();
}

static int scratch_tear_down(void **state)
{
    (void)state;
    close(scratch_fd);
    return file_remove_tree(AT_FDCWD, scratch_root);
}

/* Writes a file, and makes its folder. */
static inline void scratch_put(const char *folder, const char *name, const char *text)
{
    assert_int_equal(file_mkdirs(scratch_fd, folder, 0755), 0);
    CLEANUP_FD int fd = openat(scratch_fd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int file = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(file >= 0);
    assert_int_equal(file_write(file, text, strlen(text)), 0);
}
