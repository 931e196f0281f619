/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers, notes, registers. Every offset is looked up among the bytes that are there before it is followed.
 */
#include "core/core_read.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fault.h"
#include "base/mem.h"
#include "core/core_read_internal.h"

enum { PRSTATUS_CURSIG = 12, PRSTATUS_PID = 32, PRSTATUS_REGISTERS = 112, PRPSINFO_SIZE = 136 };
enum { SEGMENTS_MAX = 1 << 20, FRAME_STEP_MAX = 8 << 20 };

static const struct machine {
    unsigned id, registers, pc, sp, frame; /* indexes of registers */
    const char *const *names;
} MACHINES[] = {
    {EM_X86_64, 27, 16, 19, 4,
     (const char *const[]){"r15",    "r14", "r13", "r12",     "rbp",     "rbx", "r11",      "r10", "r9",
                           "r8",     "rax", "rcx", "rdx",     "rsi",     "rdi", "orig_rax", "rip", "cs",
                           "eflags", "rsp", "ss",  "fs_base", "gs_base", "ds",  "es",       "fs",  "gs"}},
    {EM_AARCH64, 34, 32, 31, 29,
     (const char *const[]){"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",    "x10", "x11",
                           "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",   "x22", "x23",
                           "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",  "pc",  "pstate"}},
};

static const struct machine *machine_of(unsigned id)
{
    for (size_t i = 0; i < ARRAY_SIZE(MACHINES); i++)
        if (MACHINES[i].id == id)
            return &MACHINES[i];
    return NULL;
}

/* --- notes ----------------------------------------------------------------------------------------------------------
 */

static int read_thread(struct core_read *c, const unsigned char *p, uint64_t size)
{
    const struct machine *m = machine_of(c->machine);
    struct core_thread *t;

    if (size < PRSTATUS_REGISTERS + (uint64_t)m->registers * 8 || c->thread_count >= CORE_THREADS_MAX)
        return 0;
    if (array_reserve(&c->thread, c->thread_count + 1, &c->thread_capacity, sizeof(*t), CORE_THREADS_MAX) < 0)
        return -ENOMEM;
    t = &c->thread[c->thread_count++];
    *t = (struct core_thread){.tid = (int)core_u32(p + PRSTATUS_PID),
                              .signal = (int)core_u16(p + PRSTATUS_CURSIG),
                              .pc = core_u64(p + PRSTATUS_REGISTERS + (size_t)m->pc * 8),
                              .sp = core_u64(p + PRSTATUS_REGISTERS + (size_t)m->sp * 8),
                              .registers = p + PRSTATUS_REGISTERS};
    if (!c->has_info && c->thread_count == 1)
        c->signal = t->signal;
    return 0;
}

static void copy_text(char *out, size_t size, const unsigned char *text, size_t most)
{
    size_t length = strnlen((const char *)text, most);

    snprintf(out, size, "%.*s", (int)length, (const char *)text);
}

static void read_auxiliary(struct core_read *c, const unsigned char *p, uint64_t size)
{
    for (; size >= 16 && core_u64(p) != AT_NULL; p += 16, size -= 16) {
        if (core_u64(p) == AT_ENTRY)
            c->entry = core_u64(p + 8);
        if (core_u64(p) == AT_SYSINFO_EHDR)
            c->vdso = core_u64(p + 8);
    }
}

static int read_note(struct core_read *c, uint32_t type, const unsigned char *p, uint64_t size)
{
    switch (type) {
    case NT_PRSTATUS:
        return read_thread(c, p, size);
    case NT_PRPSINFO:
        if (size < PRPSINFO_SIZE)
            return 0;
        c->uid = core_u32(p + 16);
        c->pid = (int)core_u32(p + 24);
        copy_text(c->name, sizeof(c->name), p + 40, CORE_NAME_MAX - 1);
        copy_text(c->command, sizeof(c->command), p + 56, CORE_COMMAND_MAX - 1);
        return 0;
    case NT_SIGINFO:
        if (size < 24 || c->has_info)
            return 0;
        c->has_info = true;
        c->signal = (int)core_u32(p);
        c->code = (int)core_u32(p + 8);
        c->address = core_u64(p + 16);
        return 0;
    case NT_AUXV:
        read_auxiliary(c, p, size);
        return 0;
    case NT_FILE:
        return core_modules_add(c, p, size);
    default:
        return 0;
    }
}

static int read_notes(struct core_read *c, const unsigned char *p, uint64_t size)
{
    int r = 0;

    while (size >= 12 && r == 0) {
        uint64_t name = ((uint64_t)core_u32(p) + 3) & ~3ULL, content = ((uint64_t)core_u32(p + 4) + 3) & ~3ULL;
        uint32_t type = core_u32(p + 8);
        bool core = core_u32(p) == 5 && size >= 12 + 5 && memcmp(p + 12, "CORE", 5) == 0;

        if (name > size - 12 || content > size - 12 - name)
            return 0;
        if (core)
            r = read_note(c, type, p + 12 + name, core_u32(p + 4));
        p += 12 + name + content;
        size -= 12 + name + content;
    }
    return r;
}

/* --- headers --------------------------------------------------------------------------------------------------------
 */

/* More than 65534 segments are counted in the first section header. */
static uint64_t segment_count(const struct core_read *c, const unsigned char *head)
{
    const unsigned char *section;

    if (core_u16(head + 56) != PN_XNUM)
        return core_u16(head + 56);
    section = core_bytes(c, core_u64(head + 40), sizeof(Elf64_Shdr));
    return section ? core_u32(section + 44) : 0;
}

static int by_address(const void *a, const void *b)
{
    const struct core_segment *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

static int read_segments(struct core_read *c, const unsigned char *head, struct err *e)
{
    uint64_t count = segment_count(c, head);
    const unsigned char *table =
        count <= SEGMENTS_MAX ? core_bytes(c, core_u64(head + 32), count * sizeof(Elf64_Phdr)) : NULL;
    int r = 0;

    if (core_u16(head + 54) != sizeof(Elf64_Phdr) || count == 0 || !table)
        return err_set(e, -FAULT_FORMAT, "the core is cut off in its headers");
    if (!(c->segment = calloc(count, sizeof(*c->segment))))
        return err_set(e, -ENOMEM, "out of memory");
    for (uint64_t i = 0; i < count; i++) {
        const unsigned char *h = table + i * sizeof(Elf64_Phdr);
        struct core_segment s = {core_u64(h + 16), core_u64(h + 40), core_u64(h + 32), core_u64(h + 8),
                                 (core_u32(h + 4) & PF_X) != 0};

        if (core_u32(h) == PT_LOAD && s.size > 0 && s.start + s.size > s.start) {
            s.kept = s.kept < s.size ? s.kept : s.size;
            c->cut = c->cut || s.at > c->size || c->size - s.at < s.kept;
            c->segment[c->segment_count++] = s;
        }
    }
    qsort(c->segment, c->segment_count, sizeof(*c->segment), by_address);
    for (uint64_t i = 0; i < count && r == 0; i++) {
        const unsigned char *h = table + i * sizeof(Elf64_Phdr), *notes;

        if (core_u32(h) != PT_NOTE)
            continue;
        if ((notes = core_bytes(c, core_u64(h + 8), core_u64(h + 32))))
            r = read_notes(c, notes, core_u64(h + 32));
        else
            c->cut = true;
    }
    return r < 0 ? err_set(e, r, "out of memory") : 0;
}

/* c: what lies where. Frees it after a failure. */
static int read_all(struct core_read *c, struct err *e)
{
    const unsigned char *head = core_bytes(c, 0, sizeof(Elf64_Ehdr));
    int r;

    if (!head || memcmp(head, ELFMAG, SELFMAG) != 0 || core_u16(head + 16) != ET_CORE)
        return err_set(e, -FAULT_FORMAT, "not a core file");
    c->machine = core_u16(head + 18);
    if (head[EI_CLASS] != ELFCLASS64 || head[EI_DATA] != ELFDATA2LSB || !machine_of(c->machine))
        return err_set(e, -FAULT_FORMAT, "a core of another machine than x86-64 and 64-bit ARM");
    if ((r = read_segments(c, head, e)) == 0 && c->thread_count == 0)
        r = err_set(e, -FAULT_FORMAT, c->cut ? "the core is cut off before its threads" : "the core has no thread");
    if (r < 0)
        core_read_done(c);
    else
        core_modules_finish(c);
    return r;
}

int core_read(const void *data, size_t size, struct core_read *ret, struct err *e)
{
    struct core_read c = {.whole = {0, data, size}, .size = size};
    int r;

    assert(ret && (data || size == 0));
    if ((r = read_all(&c, e)) == 0)
        *ret = c;
    return r;
}

int core_read_pieces(const struct core_piece *piece, size_t count, uint64_t size, struct core_read *ret, struct err *e)
{
    struct core_read c = {.piece = piece, .piece_count = count, .size = size};
    int r;

    assert(ret && piece && count > 0);
    if ((r = read_all(&c, e)) == 0)
        *ret = c;
    return r;
}

void core_read_done(struct core_read *c)
{
    for (size_t i = 0; i < c->module_count; i++)
        free(c->module[i].path);
    free(c->module);
    free(c->thread);
    free(c->segment);
    *c = (struct core_read){0};
}

/* --- questions ------------------------------------------------------------------------------------------------------
 */

bool core_is_code(const struct core_read *c, uint64_t address)
{
    const struct core_segment *s = core_segment_at(c, address);

    return s ? s->code : core_module_at(c, address) != NULL; /* gdb leaves out what is as in the file */
}

size_t core_frames(const struct core_read *c, const struct core_thread *t, uint64_t frame[CORE_FRAMES_MAX])
{
    const struct machine *m = machine_of(c->machine);
    uint64_t at = core_register(t, m->frame), least = t->sp;
    size_t count = 0;

    frame[count++] = t->pc;
    while (count < CORE_FRAMES_MAX) {
        const unsigned char *p;

        if (at < least || at - least > FRAME_STEP_MAX || at % 8 != 0 || !(p = core_memory(c, at, 16)) ||
            !core_is_code(c, core_u64(p + 8) - 1))
            break;
        frame[count++] = core_u64(p + 8);
        least = at + 16;
        at = core_u64(p);
    }
    return count;
}

const char *core_register_name(const struct core_read *c, unsigned index)
{
    const struct machine *m = machine_of(c->machine);

    return index < m->registers ? m->names[index] : NULL;
}

uint64_t core_register(const struct core_thread *t, unsigned index)
{
    return core_u64(t->registers + (size_t)index * 8);
}

const char *core_signal_name(int signal, char *out, size_t size)
{
    const char *name = signal > 0 ? sigabbrev_np(signal) : NULL;

    if (name)
        snprintf(out, size, "SIG%s", name);
    else if (signal != 0)
        snprintf(out, size, "signal %d", signal);
    else
        *out = '\0';
    return out;
}

const char *core_signal_reason(int signal, int code)
{
    static const struct {
        int signal, code;
        const char *text;
    } reasons[] = {
        {SIGSEGV, SEGV_MAPERR, "address not mapped"},
        {SIGSEGV, SEGV_ACCERR, "no right to access the address"},
        {SIGSEGV, SI_KERNEL, "an address that no process can have"},
        {SIGBUS, BUS_ADRALN, "address not aligned"},
        {SIGBUS, BUS_ADRERR, "behind the end of a mapped file, or no memory"},
        {SIGBUS, BUS_MCEERR_AR, "memory error of the hardware"},
        {SIGFPE, FPE_INTDIV, "integer divided by zero"},
        {SIGILL, ILL_ILLOPN, "illegal instruction"},
        {SIGILL, ILL_ILLOPC, "illegal instruction"},
        {0, SI_USER, "sent by a process"},
        {0, SI_TKILL, "raised by itself"},
        {0, SI_QUEUE, "sent by a process"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if ((reasons[i].signal == 0 || reasons[i].signal == signal) && reasons[i].code == code)
            return reasons[i].text;
    return NULL;
}
