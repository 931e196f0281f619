/* SPDX-License-Identifier: Apache-2.0
 *
 * Voluntary context switches of all threads (proc(5), /proc/PID/task/TID/status), and processor time
 * (/proc/PID/stat, fields 14 and 15).
 */
#include "linux/process_activity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

enum { FILE_MAX = 16 * 1024, NAME_SIZE = 300, FIELDS_BEFORE_TIME = 11 };

static uint64_t switches_of(int tasks, const char *tid)
{
    static const char label[] = "\nvoluntary_ctxt_switches:";
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX};
    char name[NAME_SIZE];
    const char *found;

    snprintf(name, sizeof(name), "%s/status", tid);
    if (file_load(tasks, name, &text) < 0 || !(found = strstr(buf_text(&text), label)))
        return 0;
    return strtoull(found + sizeof(label) - 1, NULL, 10);
}

/* CPU time in clock ticks. The name in parentheses may contain anything. */
static uint64_t time_of(const char *stat)
{
    const char *at = strrchr(stat, ')');
    char *end;
    uint64_t user;

    for (int i = 0; at && i <= FIELDS_BEFORE_TIME; i++)
        at = strchr(at + 1, ' ');
    if (!at)
        return 0;
    user = strtoull(at, &end, 10);
    return user + strtoull(end, NULL, 10);
}

int process_activity_get(const char *root, pid_t pid, uint64_t *ret)
{
    CLEANUP(buf_done) struct buf stat = {.ceiling = FILE_MAX};
    CLEANUP_DIR DIR *tasks = NULL;
    char path[NAME_SIZE];
    uint64_t sum;
    int r;

    snprintf(path, sizeof(path), "%s/%d/stat", root, (int)pid);
    if ((r = file_load(AT_FDCWD, path, &stat)) < 0)
        return r;
    sum = time_of(buf_text(&stat));
    snprintf(path, sizeof(path), "%s/%d/task", root, (int)pid);
    if (!(tasks = opendir(path)))
        return -errno;
    for (struct dirent *d; (d = readdir(tasks));)
        if (d->d_name[0] != '.')
            sum += switches_of(dirfd(tasks), d->d_name);
    *ret = sum;
    return 0;
}
