/* SPDX-License-Identifier: Apache-2.0
 *
 * Which parts of a process's memory belong into a core, and which of their pages exist, by the kernel's rules
 * (vma_dump_size() in fs/coredump.c, core(5)). Reads /proc/PID/smaps, maps and pagemap.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "core/elfcore.h"
#include "linux/proc.h"

/* How the bytes of a mapping are read. */
enum memmap_source {
    MEMMAP_SKIPPED, /* not in the core */
    MEMMAP_WHOLE,   /* all of it is read */
    MEMMAP_TOUCHED, /* pages that exist; the others are zeros */
    MEMMAP_CHANGED, /* of a private file mapping: pages that were written to */
    MEMMAP_MAPPED,  /* of a file mapping: pages that the process has accessed; a debugger reads the others from the file
                     */
    MEMMAP_SHARED   /* as TOUCHED, read through the file behind the mapping */
};

struct memmap_piece {
    struct elfcore_segment segment;
    enum memmap_source source;
    uint64_t map_start, map_end, map_offset; /* the mapping that it is a part of */
    bool may_be_elf;                         /* the first page is kept if it is an ELF header */
};

struct memmap {
    struct memmap_piece *piece;
    size_t count, capacity;
    struct elfcore_file *file; /* paths are in `paths` */
    size_t file_count, file_capacity;
    struct strv paths;

    struct memmap_smaps *known; /* from smaps */
    size_t known_count, known_capacity;
    uint64_t filter;
    bool all;
    int pagemap; /* -1: can't be read */
};

#define MEMMAP_NONE                                                                                                    \
    {                                                                                                                  \
        .pagemap = -1                                                                                                  \
    }

/* Before the process is stopped: reads smaps, which takes long. */
int memmap_prepare(const struct proc *p, bool all_memory, struct memmap *ret, struct err *e);

/* While it is stopped: lists the mappings. */
int memmap_list(struct memmap *m, const struct proc *p, struct err *e);

/* Appends a piece. 0, -ENOMEM, -E2BIG. For memmap*.c. */
int memmap_add(struct memmap *m, const struct memmap_piece *piece);

/* Then: finds the pages that exist, and splits pieces at large gaps. */
int memmap_scan(struct memmap *m, const struct proc *p, struct err *e);

/* Which of these pages, of a piece with that source, have to be read: sets there[i] for the i-th page. */
void memmap_present(const struct memmap *m, enum memmap_source source, uint64_t start, size_t pages, bool *present);

/* Opens the file behind a shared piece, to be read at map_offset + (address - map_start). Needs CAP_CHECKPOINT_RESTORE
 * or CAP_SYS_ADMIN: -EPERM. */
int memmap_open_shared(const struct proc *p, const struct memmap_piece *piece);

void memmap_done(struct memmap *m);
