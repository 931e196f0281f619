/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the headers and notes of a core file: everything but the memory. Sizes and offsets follow from the list of
 * segments, so that a core can be streamed. For machines of our byte order, with Linux's notes (kernel fs/binfmt_elf.c,
 * include/linux/elfcore.h; ELF gABI, chapters 4 and 5). Reads neither processes nor cores.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The register sets of an architecture: ptrace's NT_PRSTATUS and NT_PRFPREG. */
struct elfcore_machine {
    uint16_t id;      /* e_machine */
    size_t registers; /* bytes of the general registers */
    size_t floats;    /* bytes of the floating point registers */
    unsigned pc, sp;  /* index of program counter and stack pointer among the general registers, of 8 bytes each */
    uint32_t extra;   /* note type of a further set: NT_X86_XSTATE, NT_ARM_PAC_MASK */
    const char *name; /* "x86_64" */
};

enum { ELFCORE_REGISTERS_MAX = 272, ELFCORE_FLOATS_MAX = 528 };

extern const struct elfcore_machine ELFCORE_X86_64, ELFCORE_AARCH64;

/* The machine that we run on; NULL: not supported. */
const struct elfcore_machine *elfcore_native(void);

/* A range of memory. A debugger reads what is not in the core as zeros, or from the file that is mapped there. */
struct elfcore_segment {
    uint64_t start, size; /* bytes, of whole pages */
    uint64_t kept;        /* bytes that the core contains, from the start on */
    unsigned protection;  /* PF_R, PF_W, PF_X */
};

struct elfcore {
    const struct elfcore_machine *machine;
    uint64_t page;
    const struct elfcore_segment *segment;
    size_t count;
};

/* The offset of the first segment's bytes, with notes of that size. */
uint64_t elfcore_head_size(const struct elfcore *c, size_t notes_size);

/* The size of the whole core. */
uint64_t elfcore_size(const struct elfcore *c, size_t notes_size);

/* Appends everything before the first segment's bytes; the caller writes each segment's kept bytes next, without gaps.
 * 65535 segments and more are counted in a section header, as in the kernel's cores. 0, -ENOMEM, -EMSGSIZE. */
int elfcore_head(const struct elfcore *c, const struct buf *notes, struct buf *to);

/* --- notes: appended to a buffer; a thread's follow its elfcore_note_thread. 0, -ENOMEM, -EMSGSIZE ---------------- */

int elfcore_note(struct buf *notes, const char *name, uint32_t type, const void *data, size_t size);

struct elfcore_process {
    int pid, parent, group, session;
    unsigned uid, gid;
    char state; /* 'S', as in /proc/PID/stat */
    int nice;
    uint64_t flags;
    const char *name, *command; /* cut to the format's sizes */
};

int elfcore_note_process(struct buf *notes, const struct elfcore_process *p);

/* A thread; registers and floats have the machine's sizes, floats may be NULL. */
struct elfcore_thread {
    int tid;
    const void *registers, *floats;
};

/* Debuggers select the first thread. */
int elfcore_note_thread(struct buf *notes, const struct elfcore_machine *m, const struct elfcore_process *p,
                        const struct elfcore_thread *t);

/* A file that is mapped. */
struct elfcore_file {
    uint64_t start, end, offset; /* offset: bytes, a multiple of the page */
    const char *path;
};

int elfcore_note_files(struct buf *notes, uint64_t page, const struct elfcore_file *file, size_t count);
