/* SPDX-License-Identifier: Apache-2.0
 *
 * A core file's layout: everything of it but the memory itself, as bytes. Sizes and offsets follow from the list of
 * segments, so that a core can be streamed. Written for a machine of our own byte order, with Linux's notes (kernel
 * fs/binfmt_elf.c, include/linux/elfcore.h; ELF gABI, chapters 4 and 5). Reads no process, and no core.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* How an architecture keeps its registers: ptrace's NT_PRSTATUS and NT_PRFPREG sets. */
struct elfcore_machine {
    uint16_t id;      /* e_machine */
    size_t registers; /* bytes of the general ones */
    size_t floats;    /* bytes of the floating point ones */
    unsigned pc, sp;  /* which of the general ones, each of 8 bytes */
    uint32_t extra;   /* type of a further set: NT_X86_XSTATE, NT_ARM_PAC_MASK */
    const char *its;  /* "x86_64" */
};

enum { ELFCORE_REGISTERS_MAX = 272, ELFCORE_FLOATS_MAX = 528 };

extern const struct elfcore_machine ELFCORE_X86_64, ELFCORE_AARCH64;

/* The one that we run on; NULL: none that we know. */
const struct elfcore_machine *elfcore_here(void);

/* A piece of memory. What is not in the file reads as zeros, or where a file is mapped as what that holds. */
struct elfcore_segment {
    uint64_t start, size; /* bytes, of whole pages */
    uint64_t kept;        /* of them in the core, from the start on */
    unsigned protection;  /* PF_R, PF_W, PF_X */
};

struct elfcore {
    const struct elfcore_machine *machine;
    uint64_t page;
    const struct elfcore_segment *segment;
    size_t count;
};

/* Bytes before the first segment's, with notes of that size. */
uint64_t elfcore_head_size(const struct elfcore *c, size_t notes_size);

/* Of the whole core. */
uint64_t elfcore_size(const struct elfcore *c, size_t notes_size);

/* Appends all that stands before the first segment's bytes; each segment's kept bytes follow, without gaps. 65535
 * segments and more are counted in a section header, as the kernel does. 0, -ENOMEM, -EMSGSIZE. */
int elfcore_head(const struct elfcore *c, const struct buf *notes, struct buf *to);

/* --- notes: appended to a buffer; a thread's follow its elfcore_note_thread. 0, -ENOMEM, -EMSGSIZE ---------------- */

int elfcore_note(struct buf *notes, const char *name, uint32_t type, const void *data, size_t size);

struct elfcore_process {
    int pid, parent, group, session;
    unsigned uid, gid;
    char state; /* 'S', as in /proc/PID/stat */
    int nice;
    uint64_t flags;
    const char *name, *command; /* cut as the format has it */
};

int elfcore_note_process(struct buf *notes, const struct elfcore_process *p);

/* A thread; registers and floats have the machine's sizes, floats may be NULL. */
struct elfcore_thread {
    int tid;
    const void *registers, *floats;
};

/* A debugger shows the first thread first. */
int elfcore_note_thread(struct buf *notes, const struct elfcore_machine *m, const struct elfcore_process *p,
                        const struct elfcore_thread *t);

/* A file that is mapped. */
struct elfcore_file {
    uint64_t start, end, offset; /* offset: bytes, a multiple of the page */
    const char *path;
};

int elfcore_note_files(struct buf *notes, uint64_t page, const struct elfcore_file *file, size_t count);
