/* SPDX-License-Identifier: Apache-2.0
 *
 * Stops the process, lists its mappings, releases it (quick), and copies.
 */
#include "core/live_core.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/memmap.h"
#include "core/process_notes.h"
#include "core/ptrace_freeze.h"
#include "core/stackends.h"

enum { STEP = 1024 * 1024, HEAD_MAX = 128 * 1024 * 1024, PAGE_MIN = 4096 };

struct core_copy {
    const struct proc *proc;
    const struct live_core_options *options;
    struct live_core result;
    struct memmap map;
    struct process_notes notes;
    struct ptrace_freeze *freeze;
    int mem; /* /proc/PID/mem: refers to the memory, not to the pid */
    int out;
    bool gone;     /* the process's memory is gone */
    bool holes;    /* out is a regular file */
    uint64_t skip; /* zeros not written yet, as a hole */
    uint64_t total;
    char *step; /* STEP bytes */
    bool *present;
    uint64_t page;
    struct stackends stacks;
};

static void core_copy_done(struct core_copy *t)
{
    ptrace_freeze_free(t->freeze);
    memmap_done(&t->map);
    stackends_done(&t->stacks);
    process_notes_done(&t->notes);
    if (t->mem >= 0)
        close(t->mem);
    free(t->step);
    free(t->present);
}

static int no_memory(struct err *e)
{
    return err_set(e, -ENOMEM, "out of memory");
}

/* --- before ---------------------------------------------------------------------------------------------------------
 */

static int prepare(struct core_copy *t, struct err *e)
{
    struct stat st;
    int r;

    if (t->proc->pid == getpid())
        return err_set(e, -EINVAL, "process %d is salvage itself: it can't stop itself", (int)t->proc->pid);
    if (!(t->step = malloc(STEP)) || !(t->present = malloc(STEP / PAGE_MIN)))
        return no_memory(e);
    t->holes = fstat(t->out, &st) == 0 && S_ISREG(st.st_mode);
    t->mem = openat(t->proc->fd, "mem", O_RDONLY | O_CLOEXEC);
    if ((r = process_notes_read(t->proc, &t->notes, e)) < 0)
        return r;
    return memmap_prepare(t->proc, t->options->all_memory, &t->map, e);
}

/* --- head -----------------------------------------------------------------------------------------------------------
 */

static int add_threads(struct core_copy *t, struct buf *notes)
{
    const struct elfcore_machine *machine = elfcore_native();
    const struct ptrace_freeze_thread *thread;
    size_t count = ptrace_freeze_threads(t->freeze, &thread);
    const struct process_notes *f = &t->notes;
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct ptrace_freeze_thread *one = &thread[i];

        t->result.threads++;
        t->result.unstopped += !one->held;
        r = elfcore_note_thread(notes, machine, &f->process,
                                &(struct elfcore_thread){one->inner, one->registers, one->held ? one->floats : NULL});
        if (r == 0 && i == 0)
            r = elfcore_note_process(notes, &f->process);
        if (r == 0 && i == 0 && f->auxv.size > 0)
            r = elfcore_note(notes, "CORE", NT_AUXV, f->auxv.data, f->auxv.size);
        if (r == 0 && i == 0 && t->map.file_count > 0)
            r = elfcore_note_files(notes, t->page, t->map.file, t->map.file_count);
        if (r == 0 && one->extra)
            r = elfcore_note(notes, "LINUX", machine->extra, one->extra, one->extra_size);
    }
    return r;
}

static int write_out(struct core_copy *t, const void *data, size_t size, struct err *e)
{
    int r = 0;

    if (t->skip > 0 && lseek(t->out, (off_t)t->skip, SEEK_CUR) < 0)
        r = -errno;
    t->skip = 0;
    if (r == 0)
        r = file_write(t->out, data, size);
    t->result.size += size;
    return r < 0 ? err_set(e, r, "the core of process %d can't be written: %s", (int)t->proc->pid, strerror(-r)) : 0;
}

static int write_head(struct core_copy *t, struct err *e)
{
    CLEANUP(buf_done) struct buf notes = {.ceiling = HEAD_MAX}, head = {.ceiling = HEAD_MAX};
    CLEANUP_FREE struct elfcore_segment *segment = calloc(t->map.count + 1, sizeof(*segment));
    struct elfcore core = {.machine = elfcore_native(), .page = t->page, .segment = segment, .count = t->map.count};
    int r;

    if (!segment)
        return no_memory(e);
    for (size_t i = 0; i < t->map.count; i++)
        segment[i] = t->map.piece[i].segment;
    if ((r = add_threads(t, &notes)) < 0 || (r = elfcore_head(&core, &notes, &head)) < 0)
        return err_set(e, r, "process %d: the core's head: %s", (int)t->proc->pid, strerror(-r));
    t->total = elfcore_size(&core, notes.size);
    return write_out(t, head.data, head.size, e);
}

/* --- memory ---------------------------------------------------------------------------------------------------------
 */

/* Whether the process has ended, or executed another program. A process that is not stopped may have ended, and its pid
 * may belong to another by now. */
static bool has_gone(const struct core_copy *t, uint64_t address)
{
    char byte;

    if (t->gone || ptrace_freeze_holds(t->freeze))
        return t->gone;
    return t->mem < 0 ? !proc_is_alive(t->proc) : file_pread(t->mem, &byte, 1, address) == 0;
}

/* Reads what process_vm_readv can't, such as PROT_NONE memory, page by page; unreadable pages become zeros. */
static void read_hard(struct core_copy *t, uint64_t address, char *to, size_t size)
{
    size_t page = (size_t)t->page;

    for (size_t at = 0; at < size; at += page) {
        ssize_t n = t->mem < 0 ? -EIO : file_pread(t->mem, to + at, page, address + at);

        if (n == (ssize_t)page)
            continue;
        memset(to + at, 0, page);
        t->result.lost += page;
        t->gone |= n == 0; /* end of file: the whole memory is gone */
    }
}

static void read_run(struct core_copy *t, uint64_t address, char *to, size_t size)
{
    void *remote_address = (void *)(uintptr_t)address; /* NOLINT(performance-no-int-to-ptr): another process's */
    struct iovec local = {to, size}, remote = {remote_address, size};
    ssize_t n = process_vm_readv(t->proc->pid, &local, 1, &remote, 1, 0);
    size_t done = n > 0 ? (size_t)n / (size_t)t->page * (size_t)t->page : 0;

    if (done < size)
        read_hard(t, address + done, to + done, size - done);
}

static void read_touched(struct core_copy *t, const struct memmap_piece *piece, uint64_t address, size_t size)
{
    size_t pages = size / (size_t)t->page;

    memmap_present(&t->map, piece->source, address, pages, t->present);
    for (size_t i = 0, end; i < pages; i = end) {
        size_t at = i * (size_t)t->page;

        for (end = i + 1; end < pages && t->present[end] == t->present[i]; end++)
            ;
        if (t->present[i])
            read_run(t, address + at, t->step + at, (end - i) * (size_t)t->page);
        else
            memset(t->step + at, 0, (end - i) * (size_t)t->page);
    }
}

/* Reads the file behind a shared mapping: reading a hole through the process would allocate it. */
static void read_shared(struct core_copy *t, const struct memmap_piece *piece, int fd, uint64_t address, size_t size)
{
    ssize_t n = file_pread(fd, t->step, size, piece->map_offset + (address - piece->map_start));
    size_t got = n > 0 ? (size_t)n : 0;

    memset(t->step + got, 0, size - got);
    t->result.lost += n < 0 ? size : 0;
}

static bool is_zero(const char *data, size_t size)
{
    return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Writes a step; in a regular file pages of zeros become holes. */
static int write_step(struct core_copy *t, size_t size, struct err *e)
{
    size_t page = (size_t)t->page;
    int r = 0;

    if (!t->holes)
        return write_out(t, t->step, size, e);
    for (size_t at = 0, end; r == 0 && at < size; at = end) {
        bool zero = is_zero(t->step + at, page);

        for (end = at + page; end < size && is_zero(t->step + end, page) == zero; end += page)
            ;
        if (!zero) {
            r = write_out(t, t->step + at, end - at, e);
        } else {
            t->skip += end - at;
            t->result.size += end - at;
        }
    }
    return r;
}

/* Counts memory that was copied while the process ran. */
static void note_late(struct core_copy *t, size_t size)
{
    if (t->result.consistent == 0)
        t->result.consistent = t->result.size;
    if (!t->options->quick)
        t->result.late += size;
}

struct step {
    const struct memmap_piece *piece;
    int shared; /* the file behind the piece; -1: none */
    uint64_t address;
    size_t size;
};

/* 1: the process has ended, or the time is up; nothing of this step was written. */
static int copy_step(struct core_copy *t, const struct step *s, struct err *e)
{
    int r;

    if (t->options->until_ms && clock_mono_ms() >= t->options->until_ms) {
        t->result.timed_out = true;
        return 1;
    }
    ptrace_freeze_renew(t->freeze);
    if (s->shared >= 0)
        read_shared(t, s->piece, s->shared, s->address, s->size);
    else
        read_touched(t, s->piece, s->address, s->size);
    if (has_gone(t, s->address))
        return 1;
    if (!ptrace_freeze_holds(t->freeze)) {
        stackends_restore(&t->stacks, s->address, t->step, s->size);
        note_late(t, s->size);
    }
    if ((r = write_step(t, s->size, e)) < 0)
        return r;
    if (t->options->step && t->options->step(t->options->ctx, t->result.size, t->total) != 0)
        return err_set(e, -ECANCELED, "the core of process %d: stopped", (int)t->proc->pid);
    return 0;
}

static int copy_piece(struct core_copy *t, const struct memmap_piece *piece, struct err *e)
{
    CLEANUP_FD int shared = piece->source == MEMMAP_SHARED ? memmap_open_shared(t->proc, piece) : -1;
    int r = 0;

    for (uint64_t done = 0; r == 0 && done < piece->segment.kept;) {
        uint64_t left = piece->segment.kept - done;
        struct step s = {piece, shared, piece->segment.start + done, left < STEP ? (size_t)left : STEP};

        r = copy_step(t, &s, e);
        done += s.size;
    }
    return r;
}

static int copy_memory(struct core_copy *t, struct err *e)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < t->map.count; i++)
        r = copy_piece(t, &t->map.piece[i], e);
    if (r > 0)
        t->result.cut = true;
    /* A hole at the end. */
    if (r >= 0 && t->skip > 0 && ftruncate(t->out, lseek(t->out, 0, SEEK_CUR) + (off_t)t->skip) < 0)
        return err_set(e, -errno, "the core of process %d can't be written: %s", (int)t->proc->pid, strerror(errno));
    return r < 0 ? r : 0;
}

/* --- all of it ------------------------------------------------------------------------------------------------------
 */

static int write_core(struct core_copy *t, struct err *e)
{
    int r;

    if ((r = prepare(t, e)) < 0 || (r = ptrace_freeze_begin(t->proc, t->options->at_most_ms, &t->freeze, e)) < 0 ||
        (r = memmap_list(&t->map, t->proc, e)) < 0)
        return r;
    stackends_save(&t->stacks, t->proc, t->freeze, &t->map);
    if (t->options->quick)
        t->result.stopped_us = ptrace_freeze_end(t->freeze);
    if ((r = memmap_scan(&t->map, t->proc, e)) < 0 || (r = write_head(t, e)) < 0 || (r = copy_memory(t, e)) < 0)
        return r;
    t->result.stopped_us = ptrace_freeze_end(t->freeze);
    if (t->result.consistent == 0)
        t->result.consistent = t->result.size;
    return 0;
}

int live_core_write(const struct proc *p, const struct live_core_options *o, int fd, struct live_core *ret,
                    struct err *e)
{
    assert(p->fd >= 0 && o && fd >= 0);
    CLEANUP(core_copy_done)
    struct core_copy t = {
        .proc = p, .options = o, .map = MEMMAP_NONE, .mem = -1, .out = fd, .page = (uint64_t)sysconf(_SC_PAGESIZE)};
    int r = write_core(&t, e);

    if (r == 0)
        *ret = t.result;
    return r;
}

uint64_t live_core_guess(const struct proc *p)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = 256};
    const char *resident;

    if (file_load(p->fd, "statm", &text) < 0 || !(resident = strchr(buf_text(&text), ' ')))
        return 0;
    return strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}
