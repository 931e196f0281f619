/* SPDX-License-Identifier: Apache-2.0
 *
 * One small parser for each format. Each is fed the file piece by piece, and has state only for what it needs at the
 * next piece.
 */
#include "ship/wholeness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    GZIP_WINDOW_BITS = 15 + 16,
    PIECE = 16 * 1024,
    CHUNK_HEADER = 68,
    ELF_HEADER_WIDE = 64,
    ELF_HEADER_NARROW = 52,
    COUNT_IN_SECTION =
        0xffff,  /* PN_XNUM: there are more; their number is in the first section header, at the end of the file */
    DASHES = 37, /* number of dashes at the end of a javacore's last line */
    DASHES_MIN = 30
};

static uint64_t number(const struct wholeness *w, size_t at, size_t size)
{
    uint64_t n = 0;

    for (size_t i = 0; i < size; i++)
        n = n << 8 | w->head[w->big ? at + i : at + size - 1 - i];
    return n;
}

void wholeness_init(struct wholeness *w, enum content content)
{
    *w = (struct wholeness){.content = content, .between = true, .entries = content == CONTENT_CORE};
    hprof_init(&w->hprof);
    phd_init(&w->phd);
    minidump_init(&w->minidump);
}

void wholeness_done(struct wholeness *w)
{
    if (w->inflating)
        inflateEnd(&w->z);
    w->inflating = false;
}

/* Gzip */

static int begin_member(struct wholeness *w)
{
    int r = w->inflating ? inflateReset(&w->z) : inflateInit2(&w->z, GZIP_WINDOW_BITS);

    if (r != Z_OK)
        return -ENOMEM;
    w->inflating = true;
    w->between = false;
    return 0;
}

static void feed_inside(struct wholeness *w, const void *data, size_t size)
{
    if (w->content == CONTENT_PHD_GZIP)
        phd_feed(&w->phd, data, size);
    else
        hprof_feed(&w->hprof, data, size);
}

static int feed_gzip(struct wholeness *w, const unsigned char *data, size_t size)
{
    unsigned char inside[PIECE];

    while (size > 0 && !w->problem) {
        size_t piece = size < PIECE ? size : PIECE;
        int r = Z_OK;

        if (w->between && begin_member(w) < 0)
            return -ENOMEM;
        w->z.next_in = (unsigned char *)data;
        w->z.avail_in = (unsigned)piece;
        do {
            w->z.next_out = inside;
            w->z.avail_out = sizeof(inside);
            r = inflate(&w->z, Z_NO_FLUSH);
            feed_inside(w, inside, sizeof(inside) - w->z.avail_out);
        } while (r == Z_OK && (w->z.avail_in > 0 || w->z.avail_out == 0));
        if (r == Z_MEM_ERROR)
            return -ENOMEM;
        w->between = r == Z_STREAM_END;
        if (r != Z_OK && r != Z_BUF_ERROR && r != Z_STREAM_END)
            w->problem = "damaged gzip";
        size -= piece - w->z.avail_in;
        data += piece - w->z.avail_in;
    }
    return 0;
}

/* Fills head with the `size` bytes from file offset `next` on, and skips the bytes before; true once head is complete.
 */
static bool fill_head(struct wholeness *w, const unsigned char **data, size_t *left, uint64_t *at, size_t size)
{
    size_t n;

    if (*at < w->next) {
        uint64_t skip = w->next - *at < *left ? w->next - *at : *left;

        *data += skip;
        *left -= (size_t)skip;
        *at += skip;
    }
    n = size - w->head_size < *left ? size - w->head_size : *left;
    memcpy(w->head + w->head_size, *data, n);
    w->head_size += n;
    w->next += n;
    *data += n;
    *left -= n;
    *at += n;
    return w->head_size == size;
}

static void feed_recording(struct wholeness *w, const unsigned char *data, size_t size)
{
    uint64_t at = w->offset;

    w->big = true;
    while (size > 0 && !w->problem && fill_head(w, &data, &size, &at, CHUNK_HEADER)) {
        uint64_t chunk = number(w, 8, 8), begins = w->next - CHUNK_HEADER;

        if (memcmp(w->head, "FLR", 4) != 0)
            w->problem = "no chunk where one should begin";
        else if (chunk < CHUNK_HEADER || chunk > UINT64_MAX - begins || (number(w, 4, 2) >= 2 && w->head[64] != 0))
            w->problem = "a chunk that was never finished";
        else
            w->next = w->end = begins + chunk;
        w->head_size = 0;
    }
}

static void read_core_header(struct wholeness *w)
{
    w->wide = w->head[4] == 2;
    w->big = w->head[5] == 2;
    w->next = w->wide ? number(w, 32, 8) : number(w, 28, 4);
    w->entry_size = (size_t)number(w, w->wide ? 54 : 42, 2);
    w->entries = number(w, w->wide ? 56 : 44, 2);
    if (w->entries == COUNT_IN_SECTION)
        w->entries = UINT64_MAX;
    if (w->entry_size != (w->wide ? 56u : 32u))
        w->entries = 0;
    w->head_size = 0;
}

/* A table of unknown length (PN_XNUM) ends where the first segment's data begins. */
static void read_segment(struct wholeness *w)
{
    uint64_t offset = w->wide ? number(w, 8, 8) : number(w, 4, 4);
    uint64_t size = w->wide ? number(w, 32, 8) : number(w, 16, 4);

    if (w->entries == UINT64_MAX)
        w->entries = offset > w->next ? (offset - w->next) / w->entry_size + 1 : 1;
    w->entries--;
    w->head_size = 0;
    if (size > 0 && offset <= UINT64_MAX - size && offset + size > w->end)
        w->end = offset + size;
}

/* Size of a core's ELF header: the first bytes, which the shorter header has too, name the class. */
static size_t header_size(const struct wholeness *w)
{
    return w->head_size >= ELF_HEADER_NARROW && w->head[4] == 2 ? ELF_HEADER_WIDE : ELF_HEADER_NARROW;
}

static void feed_core(struct wholeness *w, const unsigned char *data, size_t size)
{
    uint64_t at = w->offset;

    while (size > 0 && w->entries > 0) {
        if (!fill_head(w, &data, &size, &at, w->entry_size ? w->entry_size : header_size(w)))
            return;
        if (w->entry_size)
            read_segment(w);
        else if (w->head_size == header_size(w))
            read_core_header(w);
    }
}

static void feed_json(struct wholeness *w, const unsigned char *p, size_t size)
{
    for (const unsigned char *end = p + size; p < end; p++) {
        if (w->in_text) {
            if (w->escaped)
                w->escaped = false;
            else if (*p == '\\')
                w->escaped = true;
            else if (*p == '"')
                w->in_text = false;
        } else if (*p == '"') {
            w->in_text = true;
        } else if (*p == '{' || *p == '[') {
            w->depth++;
        } else if ((*p == '}' || *p == ']') && w->depth > 0) {
            w->closed |= --w->depth == 0;
        }
    }
}

static void feed_text(struct wholeness *w, const unsigned char *data, size_t size)
{
    size_t keep;

    if (size >= WHOLENESS_TAIL) {
        memcpy(w->tail, data + size - WHOLENESS_TAIL, WHOLENESS_TAIL);
        w->tail_size = WHOLENESS_TAIL;
        return;
    }
    keep = w->tail_size < WHOLENESS_TAIL - size ? w->tail_size : WHOLENESS_TAIL - size;
    memmove(w->tail, w->tail + w->tail_size - keep, keep);
    memcpy(w->tail + keep, data, size);
    w->tail_size = keep + size;
}

int wholeness_feed(struct wholeness *w, const void *data, size_t size)
{
    int r = 0;

    switch (w->content) {
    case CONTENT_HPROF_GZIP:
    case CONTENT_PHD_GZIP:
        r = feed_gzip(w, data, size);
        break;
    case CONTENT_PHD:
        phd_feed(&w->phd, data, size);
        break;
    case CONTENT_MINIDUMP:
        minidump_feed(&w->minidump, data, size);
        break;
    case CONTENT_RECORDING:
    case CONTENT_RECORDING_BEGUN:
        feed_recording(w, data, size);
        break;
    case CONTENT_CORE:
        feed_core(w, data, size);
        break;
    case CONTENT_HEAP_SNAPSHOT:
        feed_json(w, data, size);
        break;
    case CONTENT_JAVACORE:
    case CONTENT_HS_ERR:
        feed_text(w, data, size);
        break;
    default:
        break;
    }
    w->offset += size;
    return r;
}

/* The last line that is not empty, without its line break. */
static const char *last_line(const struct wholeness *w, size_t *ret_size, bool *ret_ended)
{
    size_t end = w->tail_size, begin;

    while (end > 0 && (w->tail[end - 1] == '\n' || w->tail[end - 1] == '\r'))
        end--;
    *ret_ended = end < w->tail_size;
    for (begin = end; begin > 0 && w->tail[begin - 1] != '\n' && w->tail[begin - 1] != '\r';)
        begin--;
    *ret_size = end - begin;
    return w->tail + begin;
}

static bool javacore_ends(const struct wholeness *w)
{
    static const char words[] = "END OF DUMP ";
    size_t size, dashes = 0;
    bool ended;
    const char *line = last_line(w, &size, &ended), *at = memmem(line, size, words, sizeof(words) - 1);

    if (!at)
        return false;
    for (at += sizeof(words) - 1; at < line + size && *at == '-'; at++)
        dashes++;
    /* A line with all dashes is complete without a line break; fewer dashes mean another version, or a cut line. */
    return at == line + size && dashes >= (ended ? DASHES_MIN : DASHES);
}

static bool hs_err_ends(const struct wholeness *w)
{
    static const char elapsed[] = "elapsed time: ", s[] = " seconds";
    size_t size;
    bool ended;
    const char *line = last_line(w, &size, &ended);

    if (size == 4 && memcmp(line, "END.", 4) == 0)
        return true;
    /* JDKs that write END. have these words in an earlier line, after the time. */
    return ended && size > sizeof(elapsed) - 1 && memcmp(line, elapsed, sizeof(elapsed) - 1) == 0 &&
           memmem(line, size, s, sizeof(s) - 1);
}

static const char *gzip_partial(const struct wholeness *w, char *out, size_t size)
{
    bool phd = w->content == CONTENT_PHD_GZIP;

    if (w->problem)
        snprintf(out, size, "%s", w->problem);
    else if (!w->between)
        snprintf(out, size, "ends inside its gzip, after %" PRIu64 " bytes of the dump",
                 phd ? w->phd.offset : w->hprof.offset);
    else
        return phd ? phd_partial(&w->phd, out, size) : hprof_partial(&w->hprof, out, size);
    return out;
}

const char *wholeness_partial(const struct wholeness *w, char *out, size_t size)
{
    switch (w->content) {
    case CONTENT_HPROF_GZIP:
    case CONTENT_PHD_GZIP:
        return gzip_partial(w, out, size);
    case CONTENT_PHD:
        return phd_partial(&w->phd, out, size);
    case CONTENT_MINIDUMP:
        return minidump_partial(&w->minidump, out, size);
    case CONTENT_RECORDING:
    case CONTENT_RECORDING_BEGUN:
        if (w->problem)
            snprintf(out, size, "%s", w->problem);
        else if (w->head_size > 0 || w->offset < w->end)
            snprintf(out, size, "ends inside a chunk of the recording");
        else
            return NULL;
        return out;
    case CONTENT_CORE:
        if (w->entries > 0)
            snprintf(out, size, "ends inside its headers");
        else if (w->offset < w->end)
            snprintf(out, size, "ends before its segments do: %" PRIu64 " bytes are missing", w->end - w->offset);
        else
            return NULL;
        return out;
    case CONTENT_HEAP_SNAPSHOT:
        if (w->closed && w->depth == 0 && !w->in_text)
            return NULL;
        snprintf(out, size, "ends inside its JSON");
        return out;
    case CONTENT_JAVACORE:
        if (javacore_ends(w))
            return NULL;
        snprintf(out, size, "no END OF DUMP in its last line");
        return out;
    case CONTENT_HS_ERR:
        if (hs_err_ends(w))
            return NULL;
        snprintf(out, size, "no END. in its last line");
        return out;
    default:
        return NULL;
    }
}
