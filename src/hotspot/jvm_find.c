/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the maps of every process. Kernel threads have none.
 */
#include "hotspot/jvm_find.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/proc.h"

enum { PIDS_MAX = 4 * 1024 * 1024 }; /* the largest value of kernel.pid_max */

int jvm_pids_add(struct jvm_pids *p, pid_t pid)
{
    int r = array_reserve(&p->pid, p->count + 1, &p->capacity, sizeof(*p->pid), PIDS_MAX);

    if (r == 0)
        p->pid[p->count++] = pid;
    return r;
}

static int add_if_jvm(const char *root, pid_t pid, struct jvm_pids *p)
{
    CLEANUP(proc_done) struct proc proc = PROC_NONE;
    CLEANUP_FREE char *libjvm = NULL;
    int r = proc_open(root, pid, &proc);

    if (r == 0)
        r = proc_mapped(&proc, "libjvm.so", &libjvm);
    if (r == -EACCES || r == -EPERM)
        p->hidden++;
    return r == 0 ? jvm_pids_add(p, pid) : r == -ENOMEM ? r : 0;
}

static int ascending(const void *a, const void *b)
{
    const pid_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

int jvm_find(const char *root, struct jvm_pids *ret, struct err *e)
{
    CLEANUP(jvm_pids_done) struct jvm_pids found = {0};
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, root);
    uint64_t pid;

    if (!dir)
        return err_set(e, -ENOSYS, "there is no %s here: JVMs cannot be found", root);
    for (struct dirent *d; (d = readdir(dir));)
        if (text_parse_uint(d->d_name, INT_MAX, &pid) == 0 && add_if_jvm(root, (pid_t)pid, &found) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    if (found.count > 0)
        qsort(found.pid, found.count, sizeof(*found.pid), ascending);
    *ret = found;
    found = (struct jvm_pids){0};
    return 0;
}

void jvm_pids_done(struct jvm_pids *p)
{
    free(p->pid);
    *p = (struct jvm_pids){0};
}
