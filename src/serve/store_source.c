/* SPDX-License-Identifier: Apache-2.0
 *
 * The second read in a row that begins where the one before it ended opens a stream to the object's end.
 */
#include "serve/store_source.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/store_stream.h"

struct store_source {
    struct sink_pool *sinks;
    char *key;
    struct object_info known;
    struct store_stream *stream; /* NULL: none; stands at `at` */
    uint64_t at;                 /* behind the last read */
};

void store_source_free(void *source)
{
    struct store_source *s = source;

    if (!s)
        return;
    store_stream_close(s->stream);
    free(s->key);
    free(s);
}

int store_source_new(struct sink_pool *sinks, const char *key, const struct object_info *known,
                     struct store_source **ret)
{
    struct store_source *s = calloc(1, sizeof(*s));

    assert(sinks && key && known && ret);
    if (!s || !(s->key = strdup(key))) {
        free(s);
        return -ENOMEM;
    }
    s->sinks = sinks;
    s->known = *known;
    s->at = UINT64_MAX;
    *ret = s;
    return 0;
}

static int open_at(struct store_source *s, uint64_t at, uint64_t size)
{
    const struct store_stream_range range = {s->key, &s->known, at, size};
    struct err ignored; /* no thread, no descriptor */

    store_stream_close(TAKE_PTR(s->stream));
    return store_stream_open(s->sinks, &range, &s->stream, &ignored) < 0 ? -EIO : 0;
}

static ssize_t read_all(struct store_source *s, char *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = store_stream_read(s->stream, data + done, size - done);

        if (n <= 0)
            return n < 0 ? n : -EIO;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t store_source_read(void *source, void *data, size_t size, uint64_t at)
{
    struct store_source *s = source;
    bool follows = at == s->at;
    ssize_t n;
    int r = 0;

    if (at >= s->known.size)
        return 0;
    if (size > s->known.size - at)
        size = (size_t)(s->known.size - at);
    if (size == 0)
        return 0;
    if (!follows || !s->stream)
        r = open_at(s, at, follows ? s->known.size - at : size);
    n = r < 0 ? r : read_all(s, data, size);
    s->at = at + size;
    if (n < 0 || !follows) /* a piece ends its stream */
        store_stream_close(TAKE_PTR(s->stream));
    return n;
}
