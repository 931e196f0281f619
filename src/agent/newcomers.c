/* SPDX-License-Identifier: Apache-2.0
 *
 * Two sorted lists, the last look's and this one's.
 */
#include "agent/newcomers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { STEP = 256 };

static int by_pid(const void *a, const void *b)
{
    const struct program *x = a, *y = b;

    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int add(struct newcomers *n, const struct program *p)
{
    if (n->count % STEP == 0) {
        struct program *grown = reallocarray(n->known, n->count + STEP, sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        n->known = grown;
    }
    n->known[n->count++] = *p;
    return 0;
}

static int read_all(const char *root, struct newcomers *ret)
{
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, root);
    struct program p;
    uint64_t pid;

    if (!dir)
        return -errno;
    for (struct dirent *d; (d = readdir(dir));)
        if (text_parse_uint(d->d_name, INT_MAX, &pid) == 0 && program_read(dirfd(dir), (pid_t)pid, &p) == 0 &&
            add(ret, &p) < 0)
            return -ENOMEM;
    if (ret->count > 0)
        qsort(ret->known, ret->count, sizeof(*ret->known), by_pid);
    return 0;
}

int newcomers_look(struct newcomers *n, const char *root, void (*fn)(void *ctx, pid_t pid), void *ctx)
{
    CLEANUP(newcomers_done) struct newcomers now = {0};
    struct newcomers before = *n;
    int r = read_all(root, &now);

    if (r < 0)
        return r;
    for (size_t i = 0, k = 0; i < now.count; i++) {
        while (k < before.count && before.known[k].pid < now.known[i].pid)
            k++;
        if (k == before.count || !program_same(&before.known[k], &now.known[i]))
            fn(ctx, now.known[i].pid);
    }
    *n = now;
    now = before; /* to be freed */
    return 0;
}

void newcomers_done(struct newcomers *n)
{
    free(n->known);
    *n = (struct newcomers){0};
}
