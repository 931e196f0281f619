/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a process's memory belongs into a core, and which pages of that are there: the kernel's rules
 * (vma_dump_size() in fs/coredump.c, core(5)), from outside. Reads no memory but /proc/PID/pagemap.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "core/elfcore.h"
#include "linux/proc.h"

/* How the bytes of a mapping are come by. */
enum memmap_source {
    MEMMAP_LEFT,    /* not at all */
    MEMMAP_WHOLE,   /* all of it is read */
    MEMMAP_TOUCHED, /* pages that are there; others are zeros */
    MEMMAP_CHANGED, /* a private file's: pages that were written to */
    MEMMAP_MAPPED,  /* a file's: pages that the process has seen; others a debugger finds in the file */
    MEMMAP_SHARED   /* as TOUCHED, through the file behind it */
};

struct memmap_piece {
    struct elfcore_segment segment;
    enum memmap_source source;
    uint64_t map_start, map_end, map_offset; /* of the mapping it is part of */
    bool may_be_elf;                         /* the beginning of a file of which nothing else may be kept */
};

struct memmap {
    struct memmap_piece *piece;
    size_t count, capacity;
    struct elfcore_file *file; /* borrows from paths */
    size_t file_count, file_capacity;
    struct strv paths;

    struct memmap_known *known; /* of smaps */
    size_t known_count, known_capacity;
    uint64_t filter;
    bool all;
    int pagemap; /* -1: can't be read */
};

#define MEMMAP_NONE                                                                                                    \
    {                                                                                                                  \
        .pagemap = -1                                                                                                  \
    }

/* Before the process is stopped: what takes long to read (smaps). */
int memmap_prepare(const struct proc *p, bool all_memory, struct memmap *ret, struct err *e);

/* While it is stopped: what is mapped. */
int memmap_list(struct memmap *m, const struct proc *p, struct err *e);

/* Then: which pages are there. Pieces become as many as the gaps make them. */
int memmap_scan(struct memmap *m, const struct proc *p, struct err *e);

/* Which of these pages (of a piece of that source) have to be read: there[i] for the i-th. */
void memmap_there(const struct memmap *m, enum memmap_source source, uint64_t start, size_t pages, bool *there);

/* The file behind a shared piece, for reading at map_offset + (address - map_start). More rights than for all else are
 * asked for: -EPERM. */
int memmap_open_shared(const struct proc *p, const struct memmap_piece *piece);

void memmap_done(struct memmap *m);
