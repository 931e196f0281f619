/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pages of a mapping exist, by /proc/PID/pagemap or the holes of a shared file: large gaps split a mapping.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "core/memmap.h"
#include "linux/pagemap_scan.h"

enum {
    GAP_MIN = 64 * 1024,      /* smaller gaps are written as zeros; in a file mapping they are read */
    GAPS_MAX = 16 * 1024,     /* at most, in a mapping */
    PIECES_MANY = 128 * 1024, /* no splits beyond: each piece is a header, and work for a debugger */
    ENTRIES = 4096            /* of pagemap that are read at a time */
};

/* An entry of pagemap, Documentation/admin-guide/mm/pagemap.rst. */
static const uint64_t PRESENT = 1ULL << 63, SWAPPED = 1ULL << 62, OF_FILE = 1ULL << 61,
                      GUARD = 1ULL << 58; /* can't be read; SWAPPED is set, too (Linux 6.14) */

static uint64_t page_size(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool is_present(enum memmap_source source, uint64_t entry)
{
    if (entry & GUARD)
        return false;
    if (source == MEMMAP_CHANGED)
        return entry & SWAPPED || (entry & PRESENT && !(entry & OF_FILE));
    return entry & (PRESENT | SWAPPED);
}

void memmap_present(const struct memmap *m, enum memmap_source source, uint64_t start, size_t pages, bool *present)
{
    uint64_t entry[256], first = start / page_size();
    size_t done = 0;

    /* In a file mapping the pages of a gap are not zeros: they are read, too. */
    if (m->pagemap < 0 || source == MEMMAP_WHOLE || source == MEMMAP_CHANGED || source == MEMMAP_MAPPED) {
        memset(present, true, pages);
        return;
    }
    while (done < pages) {
        size_t wanted = pages - done < ARRAY_SIZE(entry) ? pages - done : ARRAY_SIZE(entry);
        ssize_t n = file_pread(m->pagemap, entry, wanted * sizeof(*entry), (first + done) * sizeof(*entry));
        size_t got = n > 0 ? (size_t)n / sizeof(*entry) : 0;

        for (size_t i = 0; i < wanted; i++)
            present[done + i] = i < got && is_present(source, entry[i]);
        done += wanted;
    }
}

/* Splits a mapping into pieces: a run of existing pages with the gap after it. */
struct splitter {
    struct memmap *to;
    struct memmap_piece of;
    uint64_t gap_min;
    uint64_t begun, run,
        run_end; /* begun: start of the piece; run_end: end of its last existing page, begun if there is none */
};

static int emit(struct splitter *c, uint64_t end)
{
    struct memmap_piece piece = c->of;

    if (end == c->begun)
        return 0;
    piece.segment.start = c->begun;
    piece.segment.size = end - c->begun;
    piece.segment.kept = c->run_end - c->begun;
    if (piece.segment.kept == 0)
        piece.source = MEMMAP_SKIPPED;
    c->begun = c->run_end = end;
    return memmap_add(c->to, &piece);
}

static int add_run(struct splitter *c, uint64_t start, uint64_t end)
{
    int r = 0;

    if (start - c->run_end >= c->gap_min && c->to->count < PIECES_MANY)
        r = emit(c, start);
    c->run_end = end;
    return r;
}

static int split_by_pagemap(struct splitter *c)
{
    uint64_t entry[ENTRIES], page = page_size(), end = c->of.segment.start + c->of.segment.size;
    int r = 0;

    for (uint64_t at = c->of.segment.start; r == 0 && at < end;) {
        uint64_t pages = (end - at) / page, run_end = c->run_end;
        size_t wanted = pages < ENTRIES ? (size_t)pages : ENTRIES;
        ssize_t n = file_pread(c->to->pagemap, entry, wanted * sizeof(*entry), at / page * sizeof(*entry));
        size_t got = n > 0 ? (size_t)n / sizeof(*entry) : 0;

        if (got == 0)
            break; /* the process has ended */
        for (size_t i = 0; r == 0 && i < got; i++)
            if (is_present(c->of.source, entry[i]))
                r = add_run(c, at + i * page, at + (i + 1) * page);
        at += got * page;
        if (at < end && c->run_end == run_end)
            at = pagemap_next(c->to->pagemap, at, end);
    }
    return r;
}

int memmap_open_shared(const struct proc *p, const struct memmap_piece *piece)
{
    char range[40];

    snprintf(range, sizeof(range), "%" PRIx64 "-%" PRIx64, piece->map_start, piece->map_end);
    return proc_open_mapping(p, range, O_RDONLY | O_NONBLOCK);
}

/* pagemap lacks pages of a shared mapping that only other processes touched; the holes of the file show them. */
static int split_by_holes(struct splitter *c, int fd)
{
    uint64_t page = page_size(), from = c->of.map_offset, until = from + c->of.segment.size, base = c->of.segment.start;
    int r = 0;

    for (uint64_t at = from; r == 0 && at < until;) {
        off_t data = lseek(fd, (off_t)at, SEEK_DATA), hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        uint64_t start, end;

        if (data < 0 || hole < 0 || (uint64_t)data >= until)
            break;
        start = (uint64_t)data / page * page;
        end = ((uint64_t)hole + page - 1) / page * page;
        end = end < until ? end : until;
        r = add_run(c, base + (start - from), base + (end - from));
        at = end;
    }
    return r;
}

static int split(struct memmap *to, const struct proc *p, const struct memmap_piece *of)
{
    struct splitter c = {.to = to, .of = *of};
    uint64_t size = of->segment.size;
    CLEANUP_FD int shared = -1;
    int r = 0;

    c.begun = c.run_end = of->segment.start;
    c.gap_min = size / GAPS_MAX > GAP_MIN ? size / GAPS_MAX : GAP_MIN;
    if (of->source == MEMMAP_SHARED && (shared = memmap_open_shared(p, of)) < 0)
        c.of.source = MEMMAP_TOUCHED; /* without the capability: only the pages that this process touched */
    if (c.of.source == MEMMAP_SHARED)
        r = split_by_holes(&c, shared);
    else if (c.of.source == MEMMAP_WHOLE || (c.of.source != MEMMAP_SKIPPED && to->pagemap < 0))
        c.run_end = of->segment.start + size;
    else if (c.of.source != MEMMAP_SKIPPED)
        r = split_by_pagemap(&c);
    return r < 0 ? r : emit(&c, of->segment.start + size);
}

/* Whether a piece begins with an ELF header, by whose build id a debugger identifies the program or library. */
static bool begins_as_elf(const struct proc *p, const struct memmap_piece *piece)
{
    CLEANUP_FD int mem = openat(p->fd, "mem", O_RDONLY | O_CLOEXEC);
    char magic[SELFMAG];

    return mem >= 0 && file_pread(mem, magic, sizeof(magic), piece->segment.start) == SELFMAG &&
           memcmp(magic, ELFMAG, SELFMAG) == 0;
}

int memmap_scan(struct memmap *m, const struct proc *p, struct err *e)
{
    CLEANUP_FREE struct memmap_piece *listed = m->piece;
    size_t count = m->count;
    int r = 0;

    m->piece = NULL;
    m->count = m->capacity = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        size_t first = m->count;

        r = split(m, p, &listed[i]);
        if (r == 0 && m->count > first && listed[i].may_be_elf && m->piece[first].segment.kept == 0 &&
            begins_as_elf(p, &listed[i])) {
            m->piece[first].segment.kept = page_size();
            m->piece[first].source = MEMMAP_WHOLE;
        }
    }
    return r < 0 ? err_set(e, r, "process %d: its mappings: %s", (int)p->pid, strerror(-r)) : 0;
}
