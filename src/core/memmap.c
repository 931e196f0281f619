/* SPDX-License-Identifier: Apache-2.0
 *
 * smaps and maps, line by line: which mappings belong into the core. memmap_pages.c splits them at gaps.
 */
#include "core/memmap.h"

#include <assert.h>
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

enum { MAPPINGS_MAX = 1024 * 1024 };

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

struct memmap_smaps {
    uint64_t start, end;
    unsigned flags;   /* MAPS_* */
    uint64_t in_use;  /* bytes in memory or swapped out */
    uint64_t changed; /* bytes that were written to, of a private mapping */
};

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

/* --- smaps
 * --------------------------------------------------------------------------------------------------------- */

static int add_smaps_line(void *ctx, char *line)
{
    struct memmap *m = ctx;
    struct memmap_smaps *last = m->known_count > 0 ? &m->known[m->known_count - 1] : NULL;
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
    m->known[m->known_count++] = (struct memmap_smaps){.start = mapping.start, .end = mapping.end};
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
    if ((r = each_line(p, "smaps", add_smaps_line, &m)) < 0 && r != -EACCES && r != -EPERM)
        return fail(p, r, "smaps", e);
    *ret = m;
    m = (struct memmap)MEMMAP_NONE;
    return 0;
}

/* The smaps entry of a mapping, or of the larger one that it was part of then. */
static const struct memmap_smaps *find_smaps(const struct memmap *m, uint64_t start)
{
    static const struct memmap_smaps nothing;
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

/* --- mappings ------------------------------------------------------------------------------------------------- */

static enum memmap_source of_shared(const struct memmap *m, const struct maps_line *line)
{
    bool anonymous = *line->path != '/' || maps_is_deleted(line);

    if (!(m->filter & (anonymous ? SHARED_ANONYMOUS : SHARED_FILE)))
        return MEMMAP_SKIPPED;
    if (anonymous)
        return MEMMAP_SHARED;
    return m->all ? MEMMAP_WHOLE : MEMMAP_MAPPED;
}

static enum memmap_source source_of(const struct memmap *m, const struct maps_line *line,
                                    const struct memmap_smaps *known)
{
    if (text_eq(line->path, "[vdso]"))
        return MEMMAP_WHOLE; /* debuggers need it to unwind out of system calls */
    if ((known->flags & MAPS_DONT_DUMP && !m->all) || known->flags & MAPS_IO || text_starts(line->path, "[vvar") ||
        text_eq(line->path, "[vsyscall]"))
        return MEMMAP_SKIPPED;
    if (known->flags & MAPS_HUGETLB)
        return m->filter & (line->shared ? SHARED_HUGE : PRIVATE_HUGE) ? MEMMAP_TOUCHED : MEMMAP_SKIPPED;
    if (line->shared)
        return of_shared(m, line);
    if (*line->path == '/') {
        /* A JVM sets this bit (DumpSharedMappingsInCore): reading all of lib/modules would fill memory. */
        if (m->filter & PRIVATE_FILE)
            return m->all ? MEMMAP_WHOLE : MEMMAP_MAPPED;
        return m->filter & PRIVATE_ANONYMOUS ? MEMMAP_CHANGED : MEMMAP_SKIPPED;
    }
    /* Inaccessible and unused: reserved address space; a JVM can have terabytes of it. */
    if (line->protection == 0 && known->end >= line->end && known->in_use == 0)
        return MEMMAP_SKIPPED;
    return m->filter & PRIVATE_ANONYMOUS ? MEMMAP_TOUCHED : MEMMAP_SKIPPED;
}

int memmap_add(struct memmap *m, const struct memmap_piece *piece)
{
    int r = array_reserve(&m->piece, m->count + 1, &m->capacity, sizeof(*m->piece), MAPPINGS_MAX);

    if (r == 0)
        m->piece[m->count++] = *piece;
    return r;
}

/* Adjacent mappings mostly belong to one file, and share its path. */
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
    const struct memmap_smaps *known;
    int r;

    if (!maps_parse(text, &line) || text_eq(line.path, "[vsyscall]"))
        return 0;
    known = find_smaps(m, line.start);
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
    return memmap_add(m, &piece);
}

int memmap_list(struct memmap *m, const struct proc *p, struct err *e)
{
    assert(m->count == 0);
    int r = each_line(p, "maps", add_mapping, m);

    if (r < 0)
        return fail(p, r, "maps", e);
    if (m->count == 0)
        return err_set(e, -ESRCH, "process %d has no memory: it has ended", (int)p->pid);
    return 0;
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
