/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread's registers for libdwfl, which goes from frame to frame by call frame information, and by frame pointers
 * where there is none. Numbers of registers: the psABIs of x86-64 and ARM, chapters on DWARF.
 */
#include "core/backtrace.h"

#include <assert.h>
#include <elf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/core_images.h"
#include "core/core_read_internal.h"
#include "core/frame_names.h"

/* ARM_LINK and so on: numbers of DWARF. */
enum { DWARF_REGISTERS_MAX = 32, ARM_LINK = 30, X86_SP = 7, X86_PC = 16 };

/* For each of DWARF's registers, from 0 on, the place in the core's set. */
static const unsigned char X86_64[] = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16};
static const unsigned char AARCH64[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

struct backtraces {
    const struct core_read *core;
    struct core_images *images;
    struct frame_names *names;
    Elf64_Ehdr head; /* says which machine */
    Elf *elf;
    bool attached;
    const struct core_thread *thread; /* that is unwound */
    bool jumped;                      /* its pc is no code: a call of a wrong pointer */
    uint64_t pc[BACKTRACE_FRAMES_MAX + 1];
    bool call[BACKTRACE_FRAMES_MAX + 1]; /* pc is behind a call */
    size_t count;
};

/* --- what libdwfl asks ------------------------------------------------------------------------------------------- */

static pid_t next_thread(Dwfl *dwfl, void *ctx, void **ret_thread)
{
    (void)dwfl, (void)ctx, (void)ret_thread;
    return 0; /* threads are asked for by number */
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *ctx, void **ret_thread)
{
    (void)dwfl, (void)tid;
    *ret_thread = ctx;
    return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *ret, void *ctx)
{
    const struct backtraces *b = ctx;
    const unsigned char *p = core_memory(b->core, address, sizeof(uint64_t));

    (void)dwfl;
    if (p)
        *ret = core_u64(p);
    return p != NULL;
}

/* Back to the caller: what was called has done nothing yet. */
static void undo_call(const struct backtraces *b, Dwarf_Word *value, Dwarf_Word *pc)
{
    const unsigned char *p = core_memory(b->core, b->thread->sp, sizeof(uint64_t));

    if (b->core->machine == EM_AARCH64) {
        *pc = value[ARM_LINK];
    } else if (p) {
        value[X86_PC] = *pc = core_u64(p);
        value[X86_SP] += sizeof(uint64_t);
    }
}

static bool set_registers(Dwfl_Thread *thread, void *ctx)
{
    const struct backtraces *b = ctx;
    bool arm = b->core->machine == EM_AARCH64;
    unsigned count = arm ? ARRAY_SIZE(AARCH64) : ARRAY_SIZE(X86_64);
    Dwarf_Word value[DWARF_REGISTERS_MAX], pc = b->thread->pc;

    for (unsigned i = 0; i < count; i++)
        value[i] = core_register(b->thread, arm ? AARCH64[i] : X86_64[i]);
    if (b->jumped)
        undo_call(b, value, &pc);
    if (!dwfl_thread_state_registers(thread, 0, count, value))
        return false;
    dwfl_thread_state_register_pc(thread, pc);
    return true;
}

static const Dwfl_Thread_Callbacks CALLBACKS = {.next_thread = next_thread,
                                                .get_thread = get_thread,
                                                .memory_read = read_memory,
                                                .set_initial_registers = set_registers};

static int on_frame(Dwfl_Frame *frame, void *ctx)
{
    struct backtraces *b = ctx;
    bool exact = true;
    Dwarf_Addr pc;

    if (!dwfl_frame_pc(frame, &pc, &exact) || pc == 0)
        return DWARF_CB_ABORT;
    b->pc[b->count] = pc;
    b->call[b->count] = !exact || (b->jumped && b->count == 1);
    b->count++;
    return b->count > BACKTRACE_FRAMES_MAX ? DWARF_CB_ABORT : DWARF_CB_OK;
}

/* --- backtraces -------------------------------------------------------------------------------------------------- */

int backtraces_new(const struct core_read *core, const struct backtrace_files *files, struct backtraces **ret)
{
    struct backtraces *b = calloc(1, sizeof(*b));
    int r;

    assert(core && ret);
    if (!b)
        return -ENOMEM;
    b->core = core;
    b->head = (Elf64_Ehdr){.e_type = ET_CORE,
                           .e_machine = (Elf64_Half)core->machine,
                           .e_version = EV_CURRENT,
                           .e_ehsize = sizeof(b->head)};
    memcpy(b->head.e_ident, ELFMAG, SELFMAG);
    b->head.e_ident[EI_CLASS] = ELFCLASS64;
    b->head.e_ident[EI_DATA] = ELFDATA2LSB;
    b->head.e_ident[EI_VERSION] = EV_CURRENT;
    if ((r = core_images_new(core, files, &b->images)) < 0 ||
        (r = frame_names_new(core_images_dwfl(b->images), &b->names)) < 0) {
        backtraces_free(b);
        return r;
    }
    b->elf = elf_memory((char *)&b->head, sizeof(b->head));
    b->attached =
        b->elf && dwfl_attach_state(core_images_dwfl(b->images), b->elf, core->pid > 0 ? core->pid : 1, &CALLBACKS, b);
    *ret = b;
    return 0;
}

void backtraces_free(struct backtraces *b)
{
    if (!b)
        return;
    frame_names_free(b->names);
    core_images_free(b->images);
    elf_end(b->elf);
    free(b);
}

/* Goes on by frame pointers where call frame information ends: in code without any, as the frame of a signal in Go. The
 * chain of pointers then has the last frame, too. */
static void walk_pointers(struct backtraces *b)
{
    uint64_t frame[CORE_FRAMES_MAX], last = b->count ? b->pc[b->count - 1] : b->thread->pc;
    size_t count = core_frames(b->core, b->thread, frame), from = count;

    for (size_t i = 0; i < count && from == count; i++)
        if (frame[i] == last)
            from = i;
    if (b->count == 0 && count > 0) {
        b->pc[b->count] = frame[0];
        b->call[b->count++] = false;
        from = 0;
    }
    for (size_t i = from + 1; i < count && b->count <= BACKTRACE_FRAMES_MAX; i++) {
        b->pc[b->count] = frame[i];
        b->call[b->count++] = true;
    }
}

/* Go's handler of SIGSEGV makes it look as if the instruction had called this. */
static bool is_interrupted_by(const struct backtrace_frame *f)
{
    const char *function = f->name_count ? f->name[f->name_count - 1].function : NULL;

    return function && text_eq(function, "runtime.sigpanic");
}

int backtraces_thread(struct backtraces *b, const struct core_thread *t,
                      struct backtrace_frame frame[BACKTRACE_FRAMES_MAX], size_t *ret_count, bool *ret_more)
{
    int r = 0;

    assert(b && t && ret_count && ret_more);
    b->thread = t;
    b->jumped = !core_is_code(b->core, t->pc);
    b->count = 0;
    if (b->jumped) {
        b->pc[0] = t->pc;
        b->call[b->count++] = false;
    }
    if (b->attached)
        dwfl_getthread_frames(core_images_dwfl(b->images), t->tid > 0 ? t->tid : 1, on_frame, b);
    walk_pointers(b);
    *ret_more = b->count > BACKTRACE_FRAMES_MAX;
    *ret_count = b->count - *ret_more;
    for (size_t i = 0; i < *ret_count && r == 0; i++) {
        bool call = b->call[i] && !(i > 0 && is_interrupted_by(&frame[i - 1]));

        frame[i] = (struct backtrace_frame){.address = b->pc[i]};
        r = frame_names_at(b->names, b->pc[i] - call, &frame[i].name, &frame[i].name_count);
    }
    return r;
}

enum backtrace_source backtraces_module(const struct backtraces *b, const struct core_module *m)
{
    return core_images_source(b->images, m);
}
