/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A core file as data: signal, process, threads with their registers and frames, modules with their
 * build-ids. 64-bit little-endian cores of x86-64 and ARM (kernel fs/binfmt_elf.c, include/uapi/linux/elf.h; the notes
 * of gcore and core/elfcore.h are the same).
 *
 * Frames are found by frame pointers alone here: what was compiled with -fomit-frame-pointer ends the stack early, and
 * no symbol is looked up. Both need the executables (core/backtrace.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    CORE_THREADS_MAX = 65536,
    CORE_MODULES_MAX = 4096,
    CORE_FRAMES_MAX = 64,
    CORE_BUILD_ID_MAX = 41, /* 20 bytes in hex; longer ones are cut */
    CORE_NAME_MAX = 17,
    CORE_COMMAND_MAX = 81,
    CORE_REGISTERS_MAX = 34
};

struct core_thread {
    int tid;
    int signal; /* it got; 0: none */
    uint64_t pc, sp;
    const unsigned char *registers; /* in the core: u64 each; core_register_name names them */
};

struct core_module {
    char *path; /* as the process saw it; owned */
    uint64_t start, end;
    uint64_t base;                    /* added to the addresses in the file */
    char build_id[CORE_BUILD_ID_MAX]; /* "" unknown */
};

struct core_segment {
    uint64_t start, size, kept, at; /* addresses; bytes in memory and in the core; offset in the core */
    bool code;
};

/* Bytes of a core, from an offset on. */
struct core_piece {
    uint64_t at;
    const unsigned char *data; /* borrowed */
    uint64_t size;
};

enum { CORE_PIECES_MAX = 8192 };

struct core_read {
    const struct core_piece *piece; /* by offset, without overlap; borrowed, or `whole` */
    size_t piece_count;             /* 0: `whole` */
    struct core_piece whole;
    uint64_t size;    /* of the core, bytes */
    unsigned machine; /* EM_X86_64, EM_AARCH64 */
    int signal, code; /* 0: none; si_code, if has_info */
    bool has_info;
    uint64_t address; /* si_addr, if has_info */
    int pid;
    unsigned uid;
    char name[CORE_NAME_MAX], command[CORE_COMMAND_MAX]; /* foreign text */
    uint64_t entry;                                      /* of the program; 0 unknown */
    uint64_t vdso;                                       /* the kernel's code in the process; 0 unknown */
    struct core_thread *thread;                          /* the first one is that which died; owned */
    size_t thread_count, thread_capacity;
    struct core_module *module; /* by address; owned */
    size_t module_count, module_capacity;
    struct core_segment *segment; /* by address; owned */
    size_t segment_count;
    bool cut; /* the core ends before its last segment does */
};

/* data must outlive it. -FAULT_FORMAT: no core that we can read; -ENOMEM. */
int core_read(const void *data, size_t size, struct core_read *ret, struct err *e);

/* Opens a core of `size` bytes of which only these pieces are present; reads outside of them find nothing. The pieces
 * must outlive it. */
int core_read_pieces(const struct core_piece *piece, size_t count, uint64_t size, struct core_read *ret, struct err *e);
void core_read_done(struct core_read *c);

/* The addresses of a thread's frames, its pc first; returns how many. */
size_t core_frames(const struct core_read *c, const struct core_thread *t, uint64_t frame[CORE_FRAMES_MAX]);

/* Memory of the process; NULL: not in the core, or not `size` bytes in one piece. */
const unsigned char *core_memory(const struct core_read *c, uint64_t address, uint64_t size);

/* The segment of an address; NULL. */
const struct core_segment *core_segment_at(const struct core_read *c, uint64_t address);

/* Whether code may lie there. */
bool core_is_code(const struct core_read *c, uint64_t address);

/* The build-id of an executable, as a module has it; "" none. */
void core_build_id(const void *file, size_t size, char ret[CORE_BUILD_ID_MAX]);

/* The module at an address; NULL: none. */
const struct core_module *core_module_at(const struct core_read *c, uint64_t address);

/* The program itself; NULL: unknown. */
const struct core_module *core_program(const struct core_read *c);

/* "rip", "x0"; NULL beyond the last. */
const char *core_register_name(const struct core_read *c, unsigned index);
uint64_t core_register(const struct core_thread *t, unsigned index);

/* "SIGSEGV", "signal 99"; "" for 0. into out[size]. */
const char *core_signal_name(int signal, char *out, size_t size);
/* "address not mapped"; NULL: says nothing. */
const char *core_signal_reason(int signal, int code);
