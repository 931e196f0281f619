/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an API server's list and as its watch, in one piece and byte by byte: the objects are the same, and each
 * begins and ends with its brace.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "kubeapi/object_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *ctx, const char *text, size_t size)
{
    assert(size >= 2 && text[0] == '{' && (text[size - 1] == '}' || text[size - 1] == ']'));
    assert(buf_add(ctx, text, size) == 0);
    return 0;
}

static int feed(bool list, const char *data, size_t size, size_t step, struct buf *ret)
{
    CLEANUP(object_stream_done) struct object_stream s = {.list = list, .take = take, .ctx = ret};
    int r = 0;

    for (size_t at = 0; at < size && r == 0; at += step)
        r = object_stream_feed(&s, data + at, step < size - at ? step : size - at);
    if (r == 0)
        assert(buf_add_text(ret, object_stream_is_whole(&s) ? "whole" : "cut") == 0 &&
               buf_add(ret, buf_text(&s.around), s.around.size) == 0);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned list = 0; list < 2; list++) {
        CLEANUP(buf_done) struct buf once = {0}, bit = {0};

        assert(feed(list, (const char *)data, size, size + 1, &once) == feed(list, (const char *)data, size, 1, &bit));
        assert(once.size == bit.size && memcmp(buf_text(&once), buf_text(&bit), once.size) == 0);
    }
    return 0;
}
