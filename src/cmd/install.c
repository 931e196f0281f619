/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage install: copies this program. An image that contains only salvage has no cp.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/text.h"
#include "cmd/commands.h"

enum { STEP = 256 * 1024, EXECUTABLE = 0755 };

static const struct opt INSTALL_OPTIONS[] = {
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int copy(int from, int to)
{
    CLEANUP_FREE char *step = malloc(STEP);
    ssize_t n;
    int r = step ? 0 : -ENOMEM;

    while (r == 0 && (n = file_read(from, step, STEP)) != 0)
        r = n < 0 ? (int)n : file_write(to, step, (size_t)n);
    return r;
}

/* Copies to a temporary name first: a running program cannot be written to, and a partial copy must not be run. */
static int install(int folder, const char *name)
{
    CLEANUP_FD int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = -1;
    char part[NAME_MAX + 1];
    int r;

    if (from < 0)
        return -errno;
    if (snprintf(part, sizeof(part), ".%s.part", name) >= (int)sizeof(part))
        return -ENAMETOOLONG;
    if (unlinkat(folder, part, 0) < 0 && errno != ENOENT) /* left by a killed install */
        return -errno;
    to = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return -errno;
    r = copy(from, to);
    if (r == 0 && (fchmod(to, EXECUTABLE) < 0 || renameat(folder, part, folder, name) < 0))
        r = -errno;
    if (r < 0)
        unlinkat(folder, part, 0);
    return r;
}

static int run(int argc, char **argv)
{
    CLEANUP_FREE char **operands = NULL, *path = NULL, *parent = NULL;
    CLEANUP_FD int folder = -1;
    struct err e = {0};
    struct stat st;
    char unused = 0;
    int r = opt_parse(INSTALL_OPTIONS, &(struct opt_argv){argc, argv}, &unused, &operands, &e);

    if (r >= 0 && r != 1)
        r = err_set(&e, -FAULT_USAGE, "install: give a path: salvage install PATH");
    if (r < 0)
        return command_fail(r, &e);
    r = stat(operands[0], &st) == 0 && S_ISDIR(st.st_mode) ? asprintf(&path, "%s/salvage", operands[0])
                                                           : asprintf(&path, "%s", operands[0]);
    if (r < 0)
        path = NULL;
    if (!path || !(parent = strdup(path)))
        return command_error(-ENOMEM, "out of memory");
    folder = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = folder < 0 ? -errno : install(folder, text_base_name(path));
    return r < 0 ? command_error(r, "install: %s: %s", path, strerror(-r)) : 0;
}

const struct command CMD_INSTALL = {
    .name = "install",
    .args = "PATH",
    .summary = "copy this program, so that another container can run it",
    .text = "PATH is a file, which is replaced if it exists, or an existing folder. For an init container with "
            "salvage's image that copies salvage into a volume of the application's container.",
    .examples = "salvage install /opt/salvage\n"
                "    as /opt/salvage/salvage\n",
    .options = INSTALL_OPTIONS,
    .run = run,
};
