/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wanted is known in steps: the header says where the table of segments is, the table where the notes are, the
 * notes which memory matters. Each step is a list of ranges by offset; what has passed before it was wanted is lost.
 */
#include "core/core_stream.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "core/core_read_internal.h"
#include "core/core_text.h"

enum {
    KEPT_MAX = 96 << 20, /* bytes */
    STACK_MAX = 1 << 20,
    PAGE = 4096,
    NOTE_SEGMENTS_MAX = 8
};

enum step { STEP_HEADER, STEP_TABLE, STEP_NOTES, STEP_MEMORY, STEP_REST };

struct core_stream {
    enum step step;
    uint64_t passed, step_end; /* bytes of the core; step_end: where all that this step wants has passed */
    uint64_t wanted;           /* bytes, at most KEPT_MAX */
    struct core_piece piece[CORE_PIECES_MAX]; /* by offset; data is ours, once its first byte has passed */
    size_t count, first;                      /* first: that has not passed as a whole */
};

int core_stream_new(struct core_stream **ret)
{
    struct core_stream *s = calloc(1, sizeof(*s));

    assert(ret);
    if (!s)
        return -ENOMEM;
    s->piece[s->count++].size = s->step_end = sizeof(Elf64_Ehdr);
    *ret = s;
    return 0;
}

void core_stream_free(struct core_stream *s)
{
    for (size_t i = 0; s && i < s->count; i++)
        free((unsigned char *)s->piece[i].data);
    free(s);
}

/* --- what is wanted ---------------------------------------------------------------------------------------------- */

static void want(struct core_stream *s, uint64_t at, uint64_t size)
{
    if (size == 0 || size > KEPT_MAX - s->wanted || at < s->passed || at > UINT64_MAX - size ||
        s->count == CORE_PIECES_MAX)
        return;
    s->wanted += size;
    s->piece[s->count++] = (struct core_piece){.at = at, .size = size};
}

static int by_offset(const void *a, const void *b)
{
    const struct core_piece *x = a, *y = b;

    return x->at < y->at ? -1 : x->at > y->at;
}

/* Those that were added from `from` on: sorted, and joined where they overlap. */
static void arrange(struct core_stream *s, size_t from)
{
    size_t to = from;

    qsort(s->piece + from, s->count - from, sizeof(*s->piece), by_offset);
    for (size_t i = from; i < s->count; i++) {
        struct core_piece *last = to > from ? &s->piece[to - 1] : NULL, next = s->piece[i];

        if (last && next.at - last->at < last->size) {
            uint64_t end = next.at - last->at + next.size;

            last->size = end > last->size ? end : last->size;
        } else {
            s->piece[to++] = next;
        }
    }
    s->count = to;
    s->first = from;
    s->step_end = to > from ? s->piece[to - 1].at + s->piece[to - 1].size : s->passed;
}

static const unsigned char *kept(const struct core_stream *s, uint64_t at, uint64_t size)
{
    const struct core_read all = {.piece = s->piece, .piece_count = s->first, .size = s->passed};

    return s->first ? core_bytes(&all, at, size) : NULL;
}

static void want_table(struct core_stream *s)
{
    const unsigned char *head = kept(s, 0, sizeof(Elf64_Ehdr));

    if (head && memcmp(head, ELFMAG, SELFMAG) == 0 && core_u16(head + 54) == sizeof(Elf64_Phdr) &&
        core_u16(head + 56) != PN_XNUM)
        want(s, core_u64(head + 32), core_u16(head + 56) * sizeof(Elf64_Phdr));
}

static void want_notes(struct core_stream *s)
{
    const unsigned char *head = kept(s, 0, sizeof(Elf64_Ehdr));
    unsigned count = core_u16(head + 56), notes = 0;
    const unsigned char *table = kept(s, core_u64(head + 32), count * sizeof(Elf64_Phdr));

    for (unsigned i = 0; table && i < count; i++, table += sizeof(Elf64_Phdr))
        if (core_u32(table) == PT_NOTE && notes++ < NOTE_SEGMENTS_MAX)
            want(s, core_u64(table + 8), core_u64(table + 32));
}

/* Memory from an address on, as far as the core has it. */
static void want_memory(struct core_stream *s, const struct core_read *c, uint64_t address, uint64_t most)
{
    const struct core_segment *segment = core_segment_at(c, address);
    uint64_t into = segment ? address - segment->start : 0;

    if (segment && into < segment->kept && segment->at <= UINT64_MAX - into)
        want(s, segment->at + into, segment->kept - into < most ? segment->kept - into : most);
}

static int want_memories(struct core_stream *s)
{
    CLEANUP(core_read_done) struct core_read c = {0};
    struct err e;
    int r = core_read_pieces(s->piece, s->first, s->passed, &c, &e);

    if (r < 0)
        return r == -ENOMEM ? r : 0; /* the summary says why */
    want_memory(s, &c, c.thread[0].sp, STACK_MAX);
    for (size_t i = 0; i < c.module_count; i++)
        want_memory(s, &c, c.module[i].start, PAGE);
    return 0;
}

/* All that the step wanted has passed. */
static int next_step(struct core_stream *s)
{
    size_t from = s->count;
    int r = 0;

    s->first = s->count;
    switch (s->step) {
    case STEP_HEADER:
        want_table(s);
        break;
    case STEP_TABLE:
        want_notes(s);
        break;
    case STEP_NOTES:
        r = want_memories(s);
        break;
    case STEP_MEMORY:
    case STEP_REST:
        break;
    }
    s->step = s->step == STEP_REST ? STEP_REST : s->step + 1;
    arrange(s, from);
    return r;
}

/* --- the bytes --------------------------------------------------------------------------------------------------- */

static int keep(struct core_stream *s, const unsigned char *data, uint64_t size)
{
    for (size_t i = s->first; i < s->count && s->piece[i].at < s->passed + size; i++) {
        struct core_piece *p = &s->piece[i];
        uint64_t from = p->at > s->passed ? p->at : s->passed, end = p->at + p->size;
        uint64_t to = end < s->passed + size ? end : s->passed + size;

        if (!p->data && !(p->data = calloc(1, (size_t)p->size)))
            return -ENOMEM;
        memcpy((unsigned char *)p->data + (from - p->at), data + (from - s->passed), (size_t)(to - from));
        if (to == end)
            s->first = i + 1;
    }
    return 0;
}

int core_stream_feed(struct core_stream *s, const void *data, size_t size)
{
    const unsigned char *p = data;
    int r = 0;

    assert(s && (data || size == 0));
    while (size > 0 && r == 0) {
        uint64_t n = s->step < STEP_REST && s->step_end - s->passed < size ? s->step_end - s->passed : size;

        r = keep(s, p, n);
        p += n;
        size -= (size_t)n;
        s->passed += n;
        while (r == 0 && s->step < STEP_REST && s->passed >= s->step_end)
            r = next_step(s);
    }
    return r;
}

int core_stream_summary(const struct core_stream *s, struct summary *ret)
{
    CLEANUP(core_read_done) struct core_read c = {0};
    struct err e;
    int r;

    assert(s && ret);
    if (s->first == 0)
        return -FAULT_FORMAT;
    if ((r = core_read_pieces(s->piece, s->first, s->passed, &c, &e)) == 0)
        core_summary_of(&c, ret);
    return r;
}
