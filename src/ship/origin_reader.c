/* SPDX-License-Identifier: Apache-2.0
 *
 * One function for each format.
 */
#include "ship/origin_reader.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "core/corenotes.h"
#include "core/minidump.h"
#include "hotspot/jvmend.h"
#include "hprof/phd.h"
#include "threads/hserr.h"
#include "threads/javacore.h"

enum { PIECE = 64 * 1024, GZIP_WINDOW_BITS = 15 + 16 };

void origin_reader_init(struct origin_reader *r, int fd, enum content content)
{
    assert(fd >= 0);
    *r = (struct origin_reader){.fd = fd, .content = content};
    hproforigin_init(&r->hprof);
}

void origin_reader_done(struct origin_reader *r)
{
    if (r->inflating)
        inflateEnd(&r->z);
    r->inflating = false;
}

static void minidump_origin(const void *head, size_t size, struct origin *ret)
{
    struct minidump m;

    minidump_init(&m);
    minidump_feed(&m, head, size);
    if (m.listed)
        snprintf(ret->cause, sizeof(ret->cause), "%s", m.exception ? CAUSE_SIGNAL : CAUSE_USER);
    ret->pid = m.pid;
}

static void phd_origin(const void *head, size_t size, struct origin *ret)
{
    struct phd p;

    phd_init(&p);
    phd_feed(&p, head, size);
    origin_text(ret->jvm, sizeof(ret->jvm), p.jvm, p.jvm_size);
}

/* Notes are small and near the beginning, except in cores with tens of thousands of mappings. */
static int read_core(const struct origin_reader *r, const void *head, size_t head_size, struct origin *ret)
{
    CLEANUP_FREE char *notes = NULL;
    uint64_t at, size;
    ssize_t n;

    if (corenotes_find(head, head_size, &at, &size) < 0)
        return 0;
    if (size > ORIGIN_HEAD_MAX)
        size = ORIGIN_HEAD_MAX;
    if (!(notes = malloc((size_t)size + 1)))
        return -ENOMEM;
    n = at > INT64_MAX ? 0 : file_pread(r->fd, notes, (size_t)size, at);
    if (n > 0)
        corenotes_origin(head, head_size, notes, (size_t)n, ret);
    return n < 0 ? (int)n : 0;
}

static int read_head(const struct origin_reader *r, struct origin *ret)
{
    CLEANUP_FREE char *head = malloc(ORIGIN_HEAD_MAX);
    ssize_t n;

    if (!head)
        return -ENOMEM;
    if ((n = file_pread(r->fd, head, ORIGIN_HEAD_MAX, 0)) < 0)
        return (int)n;
    switch (r->content) {
    case CONTENT_JAVACORE:
        javacore_origin(head, (size_t)n, ret);
        break;
    case CONTENT_HS_ERR:
        hserr_origin(head, (size_t)n, ret);
        break;
    case CONTENT_JVM_END:
        jvmend_origin(head, (size_t)n, ret);
        break;
    case CONTENT_MINIDUMP:
        minidump_origin(head, (size_t)n, ret);
        break;
    case CONTENT_PHD:
        phd_origin(head, (size_t)n, ret);
        break;
    case CONTENT_CORE:
        return read_core(r, head, (size_t)n, ret);
    default:
        break;
    }
    return 0;
}

/* Inflates a piece of the file for the walk; a damaged piece ends it. */
static int feed_gzip(struct origin_reader *r, unsigned char *data, size_t size)
{
    unsigned char inside[16 * 1024];
    int result = Z_OK;

    if (!r->inflating && inflateInit2(&r->z, GZIP_WINDOW_BITS) != Z_OK)
        return -ENOMEM;
    r->inflating = true;
    r->z.next_in = data;
    r->z.avail_in = (unsigned)size;
    while (r->z.avail_in > 0 && result == Z_OK && r->hprof.answer == HPROFORIGIN_UNDECIDED) {
        r->z.next_out = inside;
        r->z.avail_out = sizeof(inside);
        result = inflate(&r->z, Z_NO_FLUSH);
        hproforigin_feed(&r->hprof, inside, sizeof(inside) - r->z.avail_out);
        r->inside += sizeof(inside) - r->z.avail_out;
        if (result == Z_STREAM_END) /* HotSpot writes a member for each buffer */
            result = inflateReset(&r->z);
    }
    r->ended = result != Z_OK && result != Z_BUF_ERROR;
    return result == Z_MEM_ERROR ? -ENOMEM : 0;
}

static int read_heap_dump(struct origin_reader *r, bool complete)
{
    CLEANUP_FREE unsigned char *piece = malloc(PIECE);

    if (!piece)
        return -ENOMEM;
    while (r->hprof.answer == HPROFORIGIN_UNDECIDED && !r->ended && r->offset < ORIGIN_HPROF_MAX &&
           r->inside < ORIGIN_HPROF_MAX) {
        ssize_t n = file_pread(r->fd, piece, PIECE, r->offset);
        int result = 0;

        if (n < 0)
            return (int)n;
        if (n == 0 && !complete)
            return -EAGAIN;
        if (n == 0)
            break;
        if (r->content == CONTENT_HPROF_GZIP)
            result = feed_gzip(r, piece, (size_t)n);
        else
            hproforigin_feed(&r->hprof, piece, (size_t)n);
        if (result < 0)
            return result;
        r->offset += (uint64_t)n;
    }
    hproforigin_end(&r->hprof);
    return 0;
}

int origin_reader_read(struct origin_reader *r, bool complete, struct origin *ret)
{
    struct origin o = {0};
    int result;

    if (r->content == CONTENT_HPROF || r->content == CONTENT_HPROF_GZIP) {
        result = read_heap_dump(r, complete);
        if (r->hprof.answer == HPROFORIGIN_OOM)
            snprintf(o.cause, sizeof(o.cause), CAUSE_JAVA_OOM);
        else if (r->hprof.answer == HPROFORIGIN_REQUESTED)
            snprintf(o.cause, sizeof(o.cause), CAUSE_USER);
    } else {
        result = read_head(r, &o);
    }
    if (result == 0)
        *ret = o;
    return result;
}
