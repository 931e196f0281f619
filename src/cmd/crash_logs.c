/* SPDX-License-Identifier: Apache-2.0
 *
 * HotSpot writes hs_err_pidN.log and then aborts, N as the process sees itself: in a container often 1, so that the
 * time counts, too.
 */
#include "cmd/crash_logs.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/content.h"
#include "ship/kind.h"

#define PREFIX "hs_err_pid"

enum { NEAR_S = 600, DIGITS_MAX = 10, ENTRIES_MAX = 100000 };

/* "hs_err_pid17.log" and nothing else: no character that a list or a terminal could mistake. */
static bool is_log(const char *name)
{
    size_t digits = text_starts(name, PREFIX) ? strspn(name + strlen(PREFIX), "0123456789") : 0;

    return digits > 0 && digits <= DIGITS_MAX && text_eq(name + strlen(PREFIX) + digits, ".log");
}

static bool is_near(int folder, const char *name, time_t time)
{
    struct stat st;

    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           llabs((long long)st.st_mtime - (long long)time) <= NEAR_S;
}

static DIR *open_folder(const char *path)
{
    int length = (int)(text_base_name(path) - path);
    char folder[PATH_MAX];

    if (length >= (int)sizeof(folder))
        return NULL;
    snprintf(folder, sizeof(folder), "%.*s", length, path);
    return opendir(length > 0 ? folder : ".");
}

char *crash_logs_beside(const char *path, int fd)
{
    CLEANUP(buf_done) struct buf list = {0};
    CLEANUP_DIR DIR *folder = NULL;
    const struct dirent *one;
    unsigned count = 0;
    struct stat st;

    assert(path && fd >= 0);
    if (kind_read_content(fd) != CONTENT_CORE || fstat(fd, &st) < 0 || !(folder = open_folder(path)))
        return NULL;
    for (unsigned i = 0; i < ENTRIES_MAX && count < CRASH_LOGS_MAX && (one = readdir(folder)); i++)
        if (is_log(one->d_name) && is_near(dirfd(folder), one->d_name, st.st_mtime) &&
            buf_printf(&list, "%s%s", count++ ? "," : "", one->d_name) < 0)
            return NULL;
    return count ? strdup(buf_text(&list)) : NULL;
}

char *crash_logs_of(const char *list, int pid)
{
    char wanted[sizeof(PREFIX) + DIGITS_MAX + sizeof(".log")];

    snprintf(wanted, sizeof(wanted), PREFIX "%d.log", pid);
    for (const char *p = list; p && *p; p += *p == ',') {
        size_t size = strcspn(p, ",");
        bool other =
            strncmp(p, PREFIX, strlen(PREFIX)) == 0 && (size != strlen(wanted) || memcmp(p, wanted, size) != 0);

        if (!other)
            return strndup(p, size);
        p += size;
    }
    return NULL;
}
