/* SPDX-License-Identifier: Apache-2.0
 *
 * A counter hands out the blocks, one by one: to the thread, and to the caller when it has nothing else to do.
 */
#include "ship/recheck.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"

enum { STACK_SIZE = 256 * 1024, BLOCKS_MAX = 1 << 28 };

int recheck_add(struct recheck *c, const void *block)
{
    assert(!c->running && c->block_size > 0);
    int r = array_reserve(&c->hash, c->count + 1, &c->capacity, sizeof(*c->hash), BLOCKS_MAX);

    if (r < 0)
        return r;
    c->hash[c->count++] = XXH3_64bits(block, c->block_size);
    return 0;
}

static int compare(struct recheck *c, struct err *e)
{
    CLEANUP_FREE void *block = malloc(c->block_size);
    size_t i;

    if (!block)
        return err_set(e, -ENOMEM, "out of memory");
    while ((i = atomic_fetch_add(&c->next, 1)) < c->count) {
        ssize_t n = file_pread(c->fd, block, c->block_size, (uint64_t)i * c->block_size);

        if (n < 0)
            return err_set(e, (int)n, "cannot read %s: %s", c->path, strerror((int)-n));
        if ((size_t)n < c->block_size || XXH3_64bits(block, c->block_size) != c->hash[i])
            return err_set(e, -FAULT_CHANGED, "%s was not written from front to back", c->path);
    }
    return 0;
}

static void *run(void *arg)
{
    struct recheck *c = arg;

    c->result = compare(c, &c->err);
    atomic_store(&c->ended, true);
    return NULL;
}

/* Without a thread the caller compares all blocks, in recheck_result. */
void recheck_start(struct recheck *c, int fd, const char *path)
{
    assert(fd >= 0 && path && !c->running);
    c->fd = fd;
    c->path = path;
    c->running = c->count > 0 && thread_start(&c->thread, STACK_SIZE, run, c) == 0;
}

static void join(struct recheck *c)
{
    if (c->running)
        pthread_join(c->thread, NULL);
    c->running = false;
}

int recheck_result(struct recheck *c, bool wait, struct err *e)
{
    int r;

    if (!wait && (!c->running || !atomic_load(&c->ended)))
        return c->count == 0;
    if (wait && (r = compare(c, e)) < 0)
        return r;
    join(c);
    if (c->result < 0)
        *e = c->err;
    return c->result < 0 ? c->result : 1;
}

void recheck_done(struct recheck *c)
{
    atomic_store(&c->next, c->count);
    join(c);
    free(c->hash);
    c->hash = NULL;
}
