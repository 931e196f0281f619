/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading an object to its end, over as many connections as it takes: each goes on where the last one broke, and asks
 * for the same ETag, so that no two objects can be mixed.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/s3/s3_object.h"

struct reading {
    const struct object_reader *reader;
    uint64_t at, end, size; /* end: of what is wanted; size: of the object */
    struct http_answer answer;
    int broken_off; /* what the reader's fn returned */
};

static void reading_done(struct reading *g)
{
    http_answer_done(&g->answer);
}

/* Whether the answer begins at the byte that we asked for: not every server knows ranges. */
static bool begins_right(const struct reading *g)
{
    char range[80];
    uint64_t from;
    char *dash;

    if (g->answer.status != 206)
        return g->at == 0;
    if (!http_header(&g->answer, "Content-Range", range, sizeof(range)) || !text_starts(range, "bytes ") ||
        !(dash = strchr(range, '-')))
        return false;
    *dash = '\0';
    return text_parse_uint(range + strlen("bytes "), UINT64_MAX, &from) == 0 && from == g->at;
}

struct piece {
    struct reading *g;
    bool begun;
};

static int take(void *ctx, const void *data, size_t size)
{
    struct piece *p = ctx;
    struct reading *g = p->g;

    if (!p->begun && !begins_right(g))
        return -FAULT_REFUSED;
    p->begun = true;
    if (size > g->end - g->at)
        return -FAULT_FORMAT;
    g->broken_off = g->reader->fn(g->reader->ctx, data, size);
    if (g->broken_off < 0)
        return g->broken_off;
    g->at += size;
    return 0;
}

static int read_on(struct s3 *s, struct reading *g, const char *match, struct err *e)
{
    struct piece piece = {.g = g};
    const char *key = g->reader->key;
    struct s3_call c = {.method = "GET", .action = "GetObject", .key = key, .write = take, .write_ctx = &piece};
    char range[64];
    int r;

    if (g->end < g->size)
        snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, g->at, g->end - 1);
    else
        snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", g->at);
    if (g->at > 0 || g->end < g->size)
        s3_header(&c, "Range", range);
    if (*match)
        s3_header(&c, "If-Match", match);
    r = s3_once(s, s3_http(s), &c, &g->answer, e);
    if (g->broken_off < 0)
        return g->broken_off;
    if (r == -FAULT_EXISTS)
        return s3_fail(s, e, -FAULT_CHANGED, "'%.200s' was replaced while it was read: read it again", key);
    if (r == -FAULT_REFUSED && g->answer.status < 300)
        return s3_fail(s, e, r, "the store can't read '%.200s' from the middle (no ranges)", key);
    if (r == -FAULT_FORMAT && g->at < g->end)
        return s3_fail(s, e, r, "the store sent more of '%.200s' than there is", key);
    if (r == 0 && g->at < g->end)
        return s3_fail(s, e, -FAULT_UNREACHABLE, "'%.200s' ended at byte %" PRIu64 " of %" PRIu64, key, g->at, g->end);
    return r;
}

int s3_read(struct s3 *s, const struct object_reader *reader, struct err *e)
{
    CLEANUP(reading_done)
    struct reading g = {.reader = reader, .at = reader->offset};
    struct retry_state retry = {0};
    char match[S3_ETAG_SIZE + 2] = "";
    struct s3_head head = {0};
    int r;

    assert(reader->key && reader->fn);
    if (reader->known) {
        head.size = reader->known->size;
        snprintf(head.etag, sizeof(head.etag), "%s", reader->known->etag);
    } else if ((r = s3_head(s, &(struct s3_subject){.key = reader->key}, &head, e)) < 0) {
        return r;
    }
    if (reader->offset > head.size)
        return s3_fail(s, e, -EINVAL, "'%.200s' has no byte %" PRIu64, reader->key, reader->offset);
    g.size = head.size;
    g.end = reader->limit && reader->limit < head.size - reader->offset ? reader->offset + reader->limit : head.size;
    if (reader->ret_size)
        *reader->ret_size = head.size;
    if (*head.etag)
        snprintf(match, sizeof(match), "\"%s\"", head.etag);
    while (g.at < g.end) {
        uint64_t before = g.at;

        if ((r = read_on(s, &g, match, e)) >= 0)
            continue;
        if (g.broken_off < 0)
            return r;
        if (g.at > before)
            retry_succeeded(&retry);
        if ((r = s3_retry_wait(&retry, NULL, r, e)) < 0)
            return r;
    }
    return 0;
}

struct load {
    struct buf *to;
};

static int take_small(void *ctx, const void *data, size_t size)
{
    return buf_add(((struct load *)ctx)->to, data, size);
}

int s3_load(struct s3 *s, struct http *h, const char *key, struct buf *ret, struct err *e)
{
    struct retry_state retry = {0};
    struct load load = {ret};
    size_t before = ret->size;

    for (;;) {
        CLEANUP(http_answer_done) struct http_answer answer = {0};
        struct s3_call c = {
            .method = "GET", .action = "GetObject", .key = key, .write = take_small, .write_ctx = &load};
        int r = s3_once(s, h, &c, &answer, e);

        if (r >= 0)
            return r;
        if (r == -EMSGSIZE)
            return s3_fail(s, e, r, "'%.200s' is larger than it should be", key);
        ret->size = before;
        if ((r = s3_retry_wait(&retry, NULL, r, e)) < 0)
            return r;
    }
}
