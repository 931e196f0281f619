/* SPDX-License-Identifier: Apache-2.0
 *
 * By PTRACE_GETREGSET, in the sets that a core has notes for.
 */
#include "core/thread_registers.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "base/file.h"
#include "base/mem.h"

enum {
    EXTRA_MAX = 16 * 1024,    /* a set of registers: with AMX 11 KiB */
    EXTRA_TOTAL = 1024 * 1024 /* of all threads: later ones have no extra set */
};

/* Reads a register set, by the type of its note. */
static int read_set(const struct ptrace_freeze_thread *t, unsigned type, struct iovec *to)
{
    void *which = (void *)(uintptr_t)type; /* NOLINT(performance-no-int-to-ptr): ptrace's way */

    return ptrace(PTRACE_GETREGSET, t->tid, which, to) < 0 ? -errno : 0;
}

static void read_extra(struct thread_registers *s, struct ptrace_freeze_thread *t)
{
    char data[EXTRA_MAX];
    struct iovec to = {data, sizeof(data)};

    if (read_set(t, s->machine->extra, &to) < 0 || s->extra_total + to.iov_len > EXTRA_TOTAL ||
        !(t->extra = malloc(to.iov_len)))
        return;
    memcpy(t->extra, data, to.iov_len);
    t->extra_size = to.iov_len;
    s->extra_total += to.iov_len;
}

/* Stack pointer and program counter of a thread that waits in the kernel: "… SP PC" (/proc/PID/syscall, proc(5)). */
static void guess_registers(const struct thread_registers *s, struct ptrace_freeze_thread *t)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = 512};
    char path[40], *word[2];
    uint64_t value[2];

    snprintf(path, sizeof(path), "task/%d/syscall", (int)t->tid);
    if (file_load(s->proc->fd, path, &text) < 0 || !(word[1] = strrchr(buf_text(&text), ' ')))
        return;
    *word[1] = '\0';
    if (!(word[0] = strrchr(text.data, ' ')))
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(word); i++)
        value[i] = strtoull(word[i] + 1, NULL, 16);
    memcpy(t->registers + 8 * (size_t)s->machine->sp, &value[0], sizeof(value[0]));
    memcpy(t->registers + 8 * (size_t)s->machine->pc, &value[1], sizeof(value[1]));
}

int thread_registers_read(struct thread_registers *s, struct ptrace_freeze_thread *t, struct err *e)
{
    struct iovec to = {t->registers, sizeof(t->registers)}, floats = {t->floats, sizeof(t->floats)};
    int r;

    if (!t->held) {
        guess_registers(s, t);
        return 0;
    }
    if ((r = read_set(t, NT_PRSTATUS, &to)) < 0) {
        t->gone = r == -ESRCH; /* killed just now */
        return 0;
    }
    if (to.iov_len != s->machine->registers)
        return err_set(e, -EOPNOTSUPP, "process %d is a 32-bit process: only cores of %s processes are supported",
                       (int)s->proc->pid, s->machine->name);
    read_set(t, NT_PRFPREG, &floats);
    read_extra(s, t);
    return 0;
}
