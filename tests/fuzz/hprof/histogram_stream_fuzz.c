/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a heap dump that comes in pieces (the first byte says how long they are): classes add up to the objects,
 * pieces do not matter, and the digest is JSON.
 */
#undef NDEBUG
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hprof/heap_digest.h"
#include "hprof/histogram_stream.h"
#include "hprof/static_arrays.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *data;
    size_t size;
};

static ssize_t read_again(void *ctx, void *to, size_t size, uint64_t offset)
{
    const struct bytes *b = ctx;

    if (offset >= b->size)
        return 0;
    size = size < b->size - offset ? size : b->size - (size_t)offset;
    memcpy(to, b->data + offset, size);
    return (ssize_t)size;
}

static struct histogram_stream *read_pieces(const struct bytes *b, size_t piece, bool stream)
{
    struct histogram_stream *s;
    int r = 0;

    assert(histogram_stream_new(stream, &s) == 0);
    for (size_t at = 0; at < b->size && r == 0; at += piece)
        r = histogram_stream_feed(s, b->data + at, piece < b->size - at ? piece : b->size - at);
    if (r < 0) {
        histogram_stream_free(s);
        return NULL;
    }
    histogram_stream_end(s);
    return s;
}

static char *digest_of(struct bytes *b, struct histogram_stream *s, bool stream)
{
    const struct heap_digest_source source = {read_again, b};
    CLEANUP(heap_digest_done) struct heap_digest d = {0};
    CLEANUP(buf_done) struct buf json = {.ceiling = HEAP_DIGEST_MAX};
    struct summary summary;
    json_t *root;

    if (!s->format.id_size)
        return strdup("");
    assert(heap_digest_make(&d, s, stream ? NULL : &source) == 0);
    heap_digest_summary(&d, &summary);
    assert(heap_digest_json(&d, &summary, NULL, &json) == 0);
    root = json_loads(buf_text(&json), JSON_REJECT_DUPLICATES, NULL);
    assert(root);
    json_decref(root);
    return buf_take(&json);
}

static void check_counts(const struct histogram_stream *s)
{
    uint64_t objects = 0;

    for (size_t i = 0; i < s->class_count; i++)
        objects += s->classes[i].count;
    assert(objects == s->objects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {data + 1, size - 1};
    struct histogram_stream *once, *again;
    bool stream;

    if (size < 2)
        return 0;
    stream = data[0] & 1;
    once = read_pieces(&b, b.size, stream);
    again = read_pieces(&b, (size_t)data[0] / 2 + 1, stream);
    assert(!once == !again);
    if (once) {
        CLEANUP_FREE char *one = NULL, *other = NULL;

        check_counts(once);
        one = digest_of(&b, once, stream);
        other = digest_of(&b, again, stream);
        assert(one && other && strcmp(one, other) == 0);
    }
    histogram_stream_free(once);
    histogram_stream_free(again);
    return 0;
}
