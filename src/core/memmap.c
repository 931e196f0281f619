/* SPDX-License-Identifier: Apache-2.0
 *
 * Mappings and pages to pieces. A gap of many pages ends a piece; a small one is part of it.
 */
#include "core/memmap.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "linux/maps.h"

enum {
    GAP_MIN = 64 * 1024,      /* smaller ones are written as zeros; a file's are read, as a page fault would */
    GAPS_MAX = 16 * 1024,     /* in a mapping */
    PIECES_MANY = 128 * 1024, /* then no more for gaps: each is a header, and work for a debugger */
    ENTRIES = 4096,           /* of pagemap at a time */
    MAPPINGS_MAX = 1024 * 1024
};

/* Bits of coredump_filter, core(5). */
enum {
    PRIVATE_ANONYMOUS = 1 << 0,
    SHARED_ANONYMOUS = 1 << 1,
    PRIVATE_FILE = 1 << 2,
    SHARED_FILE = 1 << 3,
    ELF_HEADERS = 1 << 4,
    PRIVATE_HUGE = 1 << 5,
    SHARED_HUGE = 1 << 6,
    FILTER_DEFAULT = PRIVATE_ANONYMOUS | SHARED_ANONYMOUS | ELF_HEADERS | PRIVATE_HUGE,
    FILTER_ALL = 0x1ff
};

/* An entry of pagemap, Documentation/admin-guide/mm/pagemap.rst. */
static const uint64_t PRESENT = 1ULL << 63, SWAPPED = 1ULL << 62, OF_FILE = 1ULL << 61,
                      GUARD = 1ULL << 58; /* can't be read; also says SWAPPED (Linux 6.14) */

struct memmap_known {
    uint64_t start, end;
    unsigned flags;   /* of MAPS_* */
    uint64_t in_use;  /* bytes in memory or swapped out */
    uint64_t changed; /* bytes that are its own, of a private mapping */
};

static uint64_t page_size(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

static int fail(const struct proc *p, int r, const char *file, struct err *e)
{
    if (r == -ENOENT)
        r = -ESRCH;
    if (r == -ESRCH)
        return err_set(e, r, "process %d has ended", (int)p->pid);
    return err_set(e, r, "/proc/%d/%s: %s", (int)p->pid, file, strerror(-r));
}

/* Calls fn with each line of a file of /proc/PID. */
static int each_line(const struct proc *p, const char *file, int (*fn)(void *ctx, char *line), void *ctx)
{
    CLEANUP_FREE char *line = NULL;
    size_t size = 0;
    int fd = openat(p->fd, file, O_RDONLY | O_CLOEXEC), r = 0;
    FILE *stream;

    if (fd < 0)
        return -errno;
    if (!(stream = fdopen(fd, "r"))) {
        close(fd);
        return -ENOMEM;
    }
    errno = 0;
    while (r == 0 && getline(&line, &size, stream) > 0)
        r = fn(ctx, line);
    if (r == 0 && ferror(stream))
        r = errno ? -errno : -EIO;
    fclose(stream);
    return r;
}

/* --- before ---------------------------------------------------------------------------------------------------------
 */

static int add_known(void *ctx, char *line)
{
    struct memmap *m = ctx;
    struct memmap_known *last = m->known_count > 0 ? &m->known[m->known_count - 1] : NULL;
    struct maps_line mapping;
    uint64_t size;
    int r;

    if (last && (maps_size(line, "Rss", &size) || maps_size(line, "Swap", &size)))
        last->in_use += size;
    else if (last && maps_size(line, "Anonymous", &size))
        last->changed = size;
    if (last && maps_size(line, "Swap", &size))
        last->changed += size;
    if (last && maps_flags(line, &last->flags))
        return 0;
    if (!maps_parse(line, &mapping))
        return 0;
    if ((r = array_reserve(&m->known, m->known_count + 1, &m->known_capacity, sizeof(*m->known), MAPPINGS_MAX)) < 0)
        return r;
    m->known[m->known_count++] = (struct memmap_known){.start = mapping.start, .end = mapping.end};
    return 0;
}

static uint64_t read_filter(const struct proc *p)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = 64};

    return file_load(p->fd, "coredump_filter", &text) < 0 ? (uint64_t)FILTER_DEFAULT
                                                          : strtoull(buf_text(&text), NULL, 16);
}

int memmap_prepare(const struct proc *p, bool all_memory, struct memmap *ret, struct err *e)
{
    CLEANUP(memmap_done) struct memmap m = MEMMAP_NONE;
    int r;

    m.all = all_memory;
    m.filter = all_memory ? (uint64_t)FILTER_ALL : read_filter(p);
    m.pagemap = openat(p->fd, "pagemap", O_RDONLY | O_CLOEXEC);
    if ((r = each_line(p, "smaps", add_known, &m)) < 0 && r != -EACCES && r != -EPERM)
        return fail(p, r, "smaps", e);
    *ret = m;
    m = (struct memmap)MEMMAP_NONE;
    return 0;
}

/* What smaps said of the mapping that is there now, or of the one that it was part of. */
static const struct memmap_known *find_known(const struct memmap *m, uint64_t start)
{
    static const struct memmap_known nothing;
    size_t low = 0, high = m->known_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (m->known[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->known_count && m->known[low].start <= start ? &m->known[low] : &nothing;
}

/* --- what is mapped -------------------------------------------------------------------------------------------------
 */

static enum memmap_source of_shared(const struct memmap *m, const struct maps_line *line)
{
    bool anonymous = *line->path != '/' || maps_is_deleted(line);

    if (!(m->filter & (anonymous ? SHARED_ANONYMOUS : SHARED_FILE)))
        return MEMMAP_LEFT;
    if (anonymous)
        return MEMMAP_SHARED;
    return m->all ? MEMMAP_WHOLE : MEMMAP_MAPPED;
}

static enum memmap_source source_of(const struct memmap *m, const struct maps_line *line,
                                    const struct memmap_known *known)
{
    if (text_eq(line->path, "[vdso]"))
        return MEMMAP_WHOLE; /* a debugger finds its way out of system calls by it */
    if ((known->flags & MAPS_DONT_DUMP && !m->all) || known->flags & MAPS_IO || text_starts(line->path, "[vvar") ||
        text_eq(line->path, "[vsyscall]"))
        return MEMMAP_LEFT;
    if (known->flags & MAPS_HUGETLB)
        return m->filter & (line->shared ? SHARED_HUGE : PRIVATE_HUGE) ? MEMMAP_TOUCHED : MEMMAP_LEFT;
    if (line->shared)
        return of_shared(m, line);
    if (*line->path == '/') {
        /* A JVM sets this bit itself (DumpSharedMappingsInCore): all of lib/modules would come into memory. */
        if (m->filter & PRIVATE_FILE)
            return m->all ? MEMMAP_WHOLE : MEMMAP_MAPPED;
        return m->filter & PRIVATE_ANONYMOUS ? MEMMAP_CHANGED : MEMMAP_LEFT;
    }
    /* Inaccessible and unused: reserved address space, of which a JVM can have terabytes. */
    if (line->protection == 0 && known->end >= line->end && known->in_use == 0)
        return MEMMAP_LEFT;
    return m->filter & PRIVATE_ANONYMOUS ? MEMMAP_TOUCHED : MEMMAP_LEFT;
}

static int add_piece(struct memmap *m, const struct memmap_piece *piece)
{
    int r = array_reserve(&m->piece, m->count + 1, &m->capacity, sizeof(*m->piece), MAPPINGS_MAX);

    if (r == 0)
        m->piece[m->count++] = *piece;
    return r;
}

/* Neighbours are mostly of one file. */
static const char *store_path(struct memmap *m, const char *path)
{
    const char *last = m->file_count > 0 ? m->file[m->file_count - 1].path : NULL;

    if (text_eq(last, path))
        return last;
    return strv_add(&m->paths, path) < 0 ? NULL : m->paths.item[m->paths.count - 1];
}

static int add_file(struct memmap *m, const struct maps_line *line)
{
    int r = array_reserve(&m->file, m->file_count + 1, &m->file_capacity, sizeof(*m->file), MAPPINGS_MAX);
    const char *path;

    if (r < 0)
        return r;
    if (!(path = store_path(m, line->path)))
        return -ENOMEM;
    m->file[m->file_count++] =
        (struct elfcore_file){.start = line->start, .end = line->end, .offset = line->offset, .path = path};
    return 0;
}

static int add_mapping(void *ctx, char *text)
{
    struct memmap *m = ctx;
    struct maps_line line;
    struct memmap_piece piece;
    const struct memmap_known *known;
    int r;

    if (!maps_parse(text, &line) || text_eq(line.path, "[vsyscall]"))
        return 0;
    known = find_known(m, line.start);
    piece = (struct memmap_piece){
        .segment = {.start = line.start, .size = line.end - line.start, .protection = line.protection},
        .source = source_of(m, &line, known),
        .map_start = line.start,
        .map_end = line.end,
        .map_offset = line.offset,
        .may_be_elf = m->filter & ELF_HEADERS && *line.path == '/' && !line.shared && line.offset == 0 &&
                      line.protection & MAPS_READ && !(known->flags & (MAPS_DONT_DUMP | MAPS_IO | MAPS_HUGETLB)),
    };
    if (*line.path == '/' && (r = add_file(m, &line)) < 0)
        return r;
    return add_piece(m, &piece);
}

int memmap_list(struct memmap *m, const struct proc *p, struct err *e)
{
    int r = each_line(p, "maps", add_mapping, m);

    if (r < 0)
        return fail(p, r, "maps", e);
    if (m->count == 0)
        return err_set(e, -ESRCH, "process %d has no memory: it has ended", (int)p->pid);
    return 0;
}

/* --- which pages are there ------------------------------------------------------------------------------------------
 */

static bool is_there(enum memmap_source source, uint64_t entry)
{
    if (entry & GUARD)
        return false;
    if (source == MEMMAP_CHANGED)
        return entry & SWAPPED || (entry & PRESENT && !(entry & OF_FILE));
    return entry & (PRESENT | SWAPPED);
}

void memmap_there(const struct memmap *m, enum memmap_source source, uint64_t start, size_t pages, bool *there)
{
    uint64_t entry[256], first = start / page_size();
    size_t done = 0;

    /* Between pages of a file that are wanted, those that are not hold no zeros. */
    if (m->pagemap < 0 || source == MEMMAP_WHOLE || source == MEMMAP_CHANGED || source == MEMMAP_MAPPED) {
        memset(there, true, pages);
        return;
    }
    while (done < pages) {
        size_t wanted = pages - done < ARRAY_SIZE(entry) ? pages - done : ARRAY_SIZE(entry);
        ssize_t n = file_pread(m->pagemap, entry, wanted * sizeof(*entry), (first + done) * sizeof(*entry));
        size_t got = n > 0 ? (size_t)n / sizeof(*entry) : 0;

        for (size_t i = 0; i < wanted; i++)
            there[done + i] = i < got && is_there(source, entry[i]);
        done += wanted;
    }
}

/* Runs of pages that are there become pieces, with the gaps behind them. */
struct cutter {
    struct memmap *to;
    struct memmap_piece of;
    uint64_t gap_min;
    uint64_t begun, run, run_end; /* begun: of the piece; run..run_end: what is there, none while both are begun */
};

static int emit(struct cutter *c, uint64_t end)
{
    struct memmap_piece piece = c->of;

    if (end == c->begun)
        return 0;
    piece.segment.start = c->begun;
    piece.segment.size = end - c->begun;
    piece.segment.kept = c->run_end - c->begun;
    if (piece.segment.kept == 0)
        piece.source = MEMMAP_LEFT;
    c->begun = c->run_end = end;
    return add_piece(c->to, &piece);
}

static int is_here(struct cutter *c, uint64_t start, uint64_t end)
{
    int r = 0;

    if (start - c->run_end >= c->gap_min && c->to->count < PIECES_MANY)
        r = emit(c, start);
    c->run_end = end;
    return r;
}

static int cut_by_pagemap(struct cutter *c)
{
    uint64_t entry[ENTRIES], page = page_size(), end = c->of.segment.start + c->of.segment.size;
    int r = 0;

    for (uint64_t at = c->of.segment.start; r == 0 && at < end;) {
        uint64_t pages = (end - at) / page;
        size_t wanted = pages < ENTRIES ? (size_t)pages : ENTRIES;
        ssize_t n = file_pread(c->to->pagemap, entry, wanted * sizeof(*entry), at / page * sizeof(*entry));
        size_t got = n > 0 ? (size_t)n / sizeof(*entry) : 0;

        if (got == 0)
            break; /* it is gone: what is left will not be there, either */
        for (size_t i = 0; r == 0 && i < got; i++)
            if (is_there(c->of.source, entry[i]))
                r = is_here(c, at + i * page, at + (i + 1) * page);
        at += got * page;
    }
    return r;
}

int memmap_open_shared(const struct proc *p, const struct memmap_piece *piece)
{
    char range[40];

    snprintf(range, sizeof(range), "%" PRIx64 "-%" PRIx64, piece->map_start, piece->map_end);
    return proc_open_mapping(p, range, O_RDONLY | O_NONBLOCK);
}

/* Where others have touched it, this process's own pages say nothing; the file's holes do. */
static int cut_by_holes(struct cutter *c, int fd)
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
        r = is_here(c, base + (start - from), base + (end - from));
        at = end;
    }
    return r;
}

static int cut(struct memmap *to, const struct proc *p, const struct memmap_piece *of)
{
    struct cutter c = {.to = to, .of = *of};
    uint64_t size = of->segment.size;
    CLEANUP_FD int shared = -1;
    int r = 0;

    c.begun = c.run_end = of->segment.start;
    c.gap_min = size / GAPS_MAX > GAP_MIN ? size / GAPS_MAX : GAP_MIN;
    if (of->source == MEMMAP_SHARED && (shared = memmap_open_shared(p, of)) < 0)
        c.of.source = MEMMAP_TOUCHED; /* asks for more rights: then what this process has touched of it */
    if (c.of.source == MEMMAP_SHARED)
        r = cut_by_holes(&c, shared);
    else if (c.of.source == MEMMAP_WHOLE || (c.of.source != MEMMAP_LEFT && to->pagemap < 0))
        c.run_end = of->segment.start + size;
    else if (c.of.source != MEMMAP_LEFT)
        r = cut_by_pagemap(&c);
    return r < 0 ? r : emit(&c, of->segment.start + size);
}

/* The first page of a program or library: a debugger identifies it by its build id. */
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

        r = cut(m, p, &listed[i]);
        if (r == 0 && m->count > first && listed[i].may_be_elf && m->piece[first].segment.kept == 0 &&
            begins_as_elf(p, &listed[i])) {
            m->piece[first].segment.kept = page_size();
            m->piece[first].source = MEMMAP_WHOLE;
        }
    }
    return r < 0 ? err_set(e, r, "process %d: its mappings: %s", (int)p->pid, strerror(-r)) : 0;
}

void memmap_done(struct memmap *m)
{
    strv_done(&m->paths);
    free(m->file);
    free(m->piece);
    free(m->known);
    if (m->pagemap >= 0)
        close(m->pagemap);
    *m = (struct memmap)MEMMAP_NONE;
}
