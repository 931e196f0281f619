/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ranged_read.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/request_retry.h"

struct reading {
    const struct ranged_source *from;
    const struct object_reader *reader;
    uint64_t at, end; /* of what is wanted */
    struct http_answer answer;
    bool begun;     /* this answer's body */
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

static int take(void *ctx, const void *data, size_t size)
{
    struct reading *g = ctx;

    if (!g->begun && !begins_right(g))
        return -FAULT_REFUSED;
    g->begun = true;
    if (size > g->end - g->at)
        return -FAULT_FORMAT;
    g->broken_off = g->reader->fn(g->reader->ctx, data, size);
    if (g->broken_off < 0)
        return g->broken_off;
    g->at += size;
    return 0;
}

static int fail(const struct reading *g, int result, const char *what, struct err *e)
{
    return err_set(e, result, "%s: '%.200s' %s", g->from->name, g->reader->key, what);
}

static int read_on(struct reading *g, const char *match, struct err *e)
{
    const uint64_t size = g->reader->known->size;
    char range[64], ended[80];
    struct ranged_request request = {.match = *match ? match : NULL, .write = take, .ctx = g};
    int r;

    if (g->end < size)
        snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, g->at, g->end - 1);
    else
        snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", g->at);
    if (g->at > 0 || g->end < size)
        request.range = range;
    g->begun = false;
    r = g->from->get(g->from->ctx, &request, &g->answer, e);
    if (g->broken_off < 0)
        return g->broken_off;
    if (r == -FAULT_EXISTS)
        return fail(g, -FAULT_CHANGED, "was replaced while it was read: read it again", e);
    if (r == -FAULT_REFUSED && g->answer.status < 300)
        return fail(g, r, "can't be read from the middle (the store knows no ranges)", e);
    if (r == -FAULT_FORMAT && g->at < g->end)
        return fail(g, r, "was sent with more bytes than there are", e);
    if (r == 0 && g->at < g->end) {
        snprintf(ended, sizeof(ended), "ended at byte %" PRIu64 " of %" PRIu64, g->at, g->end);
        return fail(g, -FAULT_UNREACHABLE, ended, e);
    }
    return r;
}

int ranged_read(const struct ranged_source *from, const struct object_reader *reader, struct err *e)
{
    CLEANUP(reading_done)
    struct reading g = {.from = from, .reader = reader, .at = reader->offset};
    char match[sizeof(reader->known->etag) + 2] = "";
    struct retry_state retry = {0};
    uint64_t size;
    int r;

    assert(from && reader->key && reader->fn && reader->known);
    size = reader->known->size;
    if (reader->offset > size)
        return err_set(e, -EINVAL, "%s: '%.200s' has no byte %" PRIu64, from->name, reader->key, reader->offset);
    g.end = reader->limit && reader->limit < size - reader->offset ? reader->offset + reader->limit : size;
    if (reader->ret_size)
        *reader->ret_size = size;
    if (*reader->known->etag)
        snprintf(match, sizeof(match), "\"%s\"", reader->known->etag);
    while (g.at < g.end) {
        uint64_t before = g.at;

        if ((r = read_on(&g, match, e)) >= 0)
            continue;
        if (g.broken_off < 0)
            return r;
        if (g.at > before)
            retry_succeeded(&retry);
        if ((r = request_retry_wait(&retry, NULL, r, e)) < 0)
            return r;
    }
    return 0;
}

static int take_small(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

int ranged_load(const struct ranged_source *from, const char *key, struct buf *ret, struct err *e)
{
    const struct ranged_request whole = {.write = take_small, .ctx = ret};
    struct retry_state retry = {0};
    size_t before = ret->size;

    for (;;) {
        CLEANUP(http_answer_done) struct http_answer answer = {0};
        int r = from->get(from->ctx, &whole, &answer, e);

        if (r >= 0)
            return r;
        if (r == -EMSGSIZE)
            return err_set(e, r, "%s: '%.200s' is larger than it should be", from->name, key);
        ret->size = before;
        if ((r = request_retry_wait(&retry, NULL, r, e)) < 0)
            return r;
    }
}
