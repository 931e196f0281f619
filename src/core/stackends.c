/* SPDX-License-Identifier: Apache-2.0
 *
 * One process_vm_readv(2) a thread.
 */
#include "core/stackends.h"

#include <assert.h>
#include <string.h>
#include <sys/uio.h>

#include "base/mem.h"

enum {
    EACH_MAX = 64 * 1024,
    ALL_MAX = 8 * 1024 * 1024,
    RED_ZONE = 128 /* below the stack pointer; in use by leaf functions (x86-64 ABI, 3.2.2) */
};

/* The end of the mapping that holds an address; 0: none. */
static uint64_t end_of_mapping(const struct memmap *m, uint64_t address)
{
    for (size_t i = 0; i < m->count; i++)
        if (address >= m->piece[i].segment.start && address - m->piece[i].segment.start < m->piece[i].segment.size)
            return m->piece[i].segment.start + m->piece[i].segment.size;
    return 0;
}

static void save_one(struct stackends *e, const struct proc *p, uint64_t sp, uint64_t end)
{
    uint64_t start = sp > RED_ZONE ? sp - RED_ZONE : sp;
    size_t room = ALL_MAX - e->used < EACH_MAX ? ALL_MAX - e->used : EACH_MAX;
    size_t size = end - start < room ? (size_t)(end - start) : room;
    void *there = (void *)(uintptr_t)start; /* NOLINT(performance-no-int-to-ptr): another process's */
    struct iovec local = {e->bytes + e->used, size}, remote = {there, size};
    ssize_t n = process_vm_readv(p->pid, &local, 1, &remote, 1, 0);

    if (n <= 0)
        return;
    e->end[e->count++] = (struct stackend){start, (size_t)n, e->used};
    e->used += (size_t)n;
}

void stackends_save(struct stackends *ret, const struct proc *p, const struct ptrace_freeze *s, const struct memmap *m)
{
    assert(!ret->end && !ret->bytes);
    const struct ptrace_freeze_thread *thread;
    const struct elfcore_machine *machine = elfcore_native();
    size_t count = ptrace_freeze_threads(s, &thread);

    if (!machine || !(ret->end = calloc(count, sizeof(*ret->end))) || !(ret->bytes = malloc(ALL_MAX)))
        return;
    for (size_t i = 0; i < count && ret->used < ALL_MAX; i++) {
        uint64_t sp, end;

        if (!thread[i].held)
            continue;
        memcpy(&sp, thread[i].registers + 8 * (size_t)machine->sp, sizeof(sp));
        if ((end = end_of_mapping(m, sp)) > sp)
            save_one(ret, p, sp, end);
    }
}

void stackends_restore(const struct stackends *ends, uint64_t address, char *copy, size_t size)
{
    for (size_t i = 0; i < ends->count; i++) {
        const struct stackend *one = &ends->end[i];
        uint64_t from = one->start > address ? one->start : address;
        uint64_t to = one->start + one->size < address + size ? one->start + one->size : address + size;

        if (from < to)
            memcpy(copy + (from - address), ends->bytes + one->at + (from - one->start), (size_t)(to - from));
    }
}

void stackends_done(struct stackends *ends)
{
    free(ends->end);
    free(ends->bytes);
    *ends = (struct stackends){0};
}
