/* SPDX-License-Identifier: Apache-2.0
 *
 * Two files of /proc/sys/kernel.
 */
#include "node/core_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

const char *core_kernel_root(void)
{
    static const char mounted[] = "/host/proc";

    return access("/host/proc/sys/kernel/core_pattern", F_OK) == 0 ? mounted : "/proc";
}

static int read_setting(const char *root, const char *name, char ret[CORE_BEFORE_MAX], struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = CORE_BEFORE_MAX};
    char path[256];
    int r;

    snprintf(path, sizeof(path), "%s/sys/kernel/%s", root, name);
    if ((r = file_load(AT_FDCWD, path, &text)) < 0)
        return err_set(e, r, "%s: %s", path, strerror(-r));
    snprintf(ret, CORE_BEFORE_MAX, "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
    return 0;
}

static int write_setting(const char *root, const char *name, const char *value, struct err *e)
{
    char path[256];
    int r;

    snprintf(path, sizeof(path), "%s/sys/kernel/%s", root, name);
    {
        CLEANUP_FD int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

        r = fd < 0 ? -errno : file_write(fd, value, strlen(value));
    }
    if (r < 0)
        return err_set(
            e, r, "%s: %s%s", path, strerror(-r),
            r == -EROFS
                ? ": in a container mount this file and core_pipe_limit of the host below /host/proc/sys/kernel, "
                  "or give privileged: true"
            : r == -EACCES ? ": only root may write it"
                           : "");
    return 0;
}

int core_kernel_read(const char *root, struct core_kernel *ret, struct err *e)
{
    struct core_kernel k = {0};
    char limit[CORE_BEFORE_MAX];
    int r = read_setting(root, "core_pattern", k.pattern, e);

    if (r == 0)
        r = read_setting(root, "core_pipe_limit", limit, e);
    if (r < 0)
        return r;
    if (text_parse_uint(limit, UINT32_MAX, &k.pipe_limit) < 0)
        return err_set(e, -FAULT_FORMAT, "%s/sys/kernel/core_pipe_limit: '%s' is no number", root, limit);
    *ret = k;
    return 0;
}

static int write_limit(const char *root, uint64_t limit, struct err *e)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, limit);
    return write_setting(root, "core_pipe_limit", text, e);
}

int core_kernel_write(const char *root, const struct core_kernel *k, struct err *e)
{
    int r = write_limit(root, k->pipe_limit, e);

    return r < 0 ? r : write_setting(root, "core_pattern", k->pattern, e);
}

int core_kernel_restore(const char *root, const struct core_kernel *k, struct err *e)
{
    /* An empty core_pattern needs a byte: a write of none changes nothing. */
    int r = write_setting(root, "core_pattern", *k->pattern ? k->pattern : "\n", e);

    return r < 0 ? r : write_limit(root, k->pipe_limit, e);
}
