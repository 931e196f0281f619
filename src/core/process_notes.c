/* SPDX-License-Identifier: Apache-2.0
 *
 * From /proc/PID/stat, status, cmdline, comm and auxv.
 */
#include "core/process_notes.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { STAT_MAX = 4096, AUXV_MAX = 4096 };
enum { KERNEL_THREAD = 0x00200000 }; /* PF_KTHREAD, of the flags in /proc/PID/stat */

/* "PID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS … NICE": fields 3 to 9, and 19 (proc(5)). The name may contain
 * anything. */
static int read_stat(const struct proc *proc, struct elfcore_process *p)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = STAT_MAX};
    long long field[17] = {0};
    const char *at;
    int r = file_load(proc->fd, "stat", &text);

    if (r < 0)
        return r;
    if (!(at = strrchr(buf_text(&text), ')')) || strlen(at) < 3)
        return -EBADMSG;
    p->state = at[2];
    at += 3;
    for (unsigned i = 1; i < ARRAY_SIZE(field); i++) {
        char *end;

        field[i] = strtoll(at, &end, 10);
        at = end;
    }
    p->parent = (int)field[1];
    p->group = (int)field[2];
    p->session = (int)field[3];
    p->flags = (uint64_t)field[6];
    p->nice = (int)field[16];
    return 0;
}

/* Only root may read another user's: then the core has none. */
static void read_auxv(const struct proc *p, struct process_notes *n)
{
    n->auxv.ceiling = AUXV_MAX;
    if (file_load(p->fd, "auxv", &n->auxv) < 0)
        buf_clear(&n->auxv);
}

int process_notes_read(const struct proc *p, struct process_notes *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf name = {.ceiling = sizeof(ret->name)};
    struct process_notes *f = ret;
    struct proc_status status;
    int r;

    assert(p->fd >= 0 && !ret->words.word);
    if ((r = proc_status(p, &status)) == 0 && (r = read_stat(p, &f->process)) == 0)
        r = proc_words(p, "cmdline", &f->words);
    if (r < 0)
        return err_set(e, r, "process %d: %s", (int)p->pid, r == -ESRCH ? "has ended" : strerror(-r));
    if (status.state == 'Z' || status.state == 'X')
        return err_set(e, -ESRCH, "process %d is a zombie: it has ended, and has no memory any more", (int)p->pid);
    if (f->process.flags & KERNEL_THREAD)
        return err_set(e, -EOPNOTSUPP, "process %d is a kernel thread: it has no memory of its own", (int)p->pid);
    f->process.pid = status.inner_pid;
    f->process.uid = status.uid;
    f->process.gid = status.gid;
    if (file_load(p->fd, "comm", &name) == 0)
        snprintf(f->name, sizeof(f->name), "%.*s", (int)strcspn(name.data, "\n"), name.data);
    for (size_t i = 0; i < f->words.count; i++)
        if (buf_printf(&f->command, "%s%s", i ? " " : "", f->words.word[i]) == -ENOMEM)
            return err_set(e, -ENOMEM, "out of memory");
    f->process.name = f->name;
    f->process.command = buf_text(&f->command);
    read_auxv(p, f);
    return 0;
}

void process_notes_done(struct process_notes *n)
{
    proc_words_done(&n->words);
    buf_done(&n->auxv);
    buf_done(&n->command);
}
