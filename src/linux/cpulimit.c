/* SPDX-License-Identifier: Apache-2.0
 *
 * From /proc/self/cgroup to the cgroup's folder, then up level by level. In its own cgroup namespace a process sees its
 * cgroup as the root.
 */
#include "linux/cpulimit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "linux/cgroup.h"

enum { FILE_MAX_BYTES = 64 * 1024, PROCESSORS_MAX = 1024 };

static int load(const char *root, const char *path, struct buf *ret)
{
    CLEANUP_FD int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -1 : file_load(fd, path, ret);
}

/* Quota and period, from "200000 100000" or "max 100000", or from two files; 0: no limit. */
static unsigned thousandths(const char *quota, const char *period)
{
    long long q = strtoll(quota, NULL, 10), p = strtoll(period, NULL, 10); /* "max" is 0, as is nothing */

    if (q <= 0 || p <= 0 || p > 10000000 || q > PROCESSORS_MAX * p)
        return 0;
    return (unsigned)((q * 1000 + p - 1) / p);
}

static unsigned limit_of(const char *root, const char *folder, bool v2)
{
    CLEANUP(buf_done) struct buf path = {0}, quota = {.ceiling = 256}, period = {.ceiling = 256};
    const char *space;

    if (buf_printf(&path, "%s/%s", folder, v2 ? "cpu.max" : "cpu.cfs_quota_us") < 0 ||
        load(root, buf_text(&path), &quota) < 0)
        return 0;
    if (v2) {
        space = strchr(buf_text(&quota), ' ');
        return thousandths(buf_text(&quota), space ? space + 1 : "");
    }
    buf_clear(&path);
    if (buf_printf(&path, "%s/cpu.cfs_period_us", folder) < 0 || load(root, buf_text(&path), &period) < 0)
        return 0;
    return thousandths(buf_text(&quota), buf_text(&period));
}

/* The lowest limit from mount + cgroup up to mount. */
static unsigned least_limit(const char *root, const char *mount, const struct cgroup_entry *cgroup)
{
    CLEANUP_FREE char *folder = NULL;
    size_t top = strlen(mount);
    unsigned least = 0;

    if (asprintf(&folder, "%s%.*s", mount, (int)cgroup->path_size, cgroup->path) < 0) {
        folder = NULL;
        return 0;
    }
    for (;;) {
        unsigned one = limit_of(root, folder, cgroup->unified);
        char *slash = strrchr(folder, '/');

        least = one > 0 && (least == 0 || one < least) ? one : least;
        if (!slash || strlen(folder) <= top)
            return least;
        *slash = '\0';
    }
}

unsigned cpulimit_get(const char *root)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX_BYTES};
    struct cgroup_entry line;
    unsigned least = 0;
    const char *at;
    size_t size;

    if (load(root, "proc/self/cgroup", &text) < 0)
        return 0;
    at = buf_text(&text);
    size = text.size;
    while (cgroup_next(&at, &size, &line)) {
        unsigned one = 0;

        if (line.unified || cgroup_has_controller(&line, "cpu"))
            one = least_limit(root, line.unified ? "sys/fs/cgroup" : "sys/fs/cgroup/cpu", &line);
        least = one > 0 && (least == 0 || one < least) ? one : least;
    }
    return least;
}
