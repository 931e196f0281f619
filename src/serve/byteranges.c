/* SPDX-License-Identifier: Apache-2.0
 *
 * The body is a row of texts (boundaries and heads of the parts) and pieces of the file between them. All texts are
 * made before, so that the length is known.
 */
#include "serve/byteranges.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/object_name.h"

enum { BOUNDARY_BYTES = 12, BOUNDARY_MAX = 2 * BOUNDARY_BYTES + 1, TYPE_MAX = 80 };

struct body {
    int fd;
    struct ranges ranges;
    struct buf text;            /* of all parts, one behind the other, and the end */
    size_t end[RANGES_MAX + 1]; /* in text, of each */
    unsigned part;
    size_t at;     /* in text */
    uint64_t sent; /* of the part's range */
};

static void body_free(void *ctx)
{
    struct body *b = ctx;

    if (!b)
        return;
    if (b->fd >= 0)
        close(b->fd);
    buf_done(&b->text);
    free(b);
}

static void body_free_ptr(struct body **b)
{
    body_free(*b);
}

static ssize_t read_body(void *ctx, void *data, size_t size)
{
    struct body *b = ctx;

    for (;;) {
        size_t text = b->end[b->part] - b->at;
        const struct range *range = &b->ranges.range[b->part];
        ssize_t n;

        if (text > 0) {
            size = text < size ? text : size;
            memcpy(data, b->text.data + b->at, size);
            b->at += size;
            return (ssize_t)size;
        }
        if (b->part == b->ranges.count)
            return 0;
        if (b->sent == range->size) {
            b->part++;
            b->sent = 0;
            continue;
        }
        size = range->size - b->sent < size ? (size_t)(range->size - b->sent) : size;
        n = file_pread(b->fd, data, size, range->first + b->sent);
        if (n <= 0)
            return -EIO; /* it was cut meanwhile */
        b->sent += (uint64_t)n;
        return n;
    }
}

/* The whole length of the body, or -ENOMEM. */
static int64_t make_texts(struct body *b, const char *boundary, const char *type, int64_t size)
{
    int64_t total = 0;

    for (unsigned i = 0; i < b->ranges.count; i++) {
        const struct range *range = &b->ranges.range[i];

        if (buf_printf(&b->text,
                       "\r\n--%s\r\nContent-Type: %s\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRId64
                       "\r\n\r\n",
                       boundary, type, range->first, range->first + range->size - 1, size) < 0)
            return -ENOMEM;
        b->end[i] = b->text.size;
        total += (int64_t)range->size;
    }
    if (buf_printf(&b->text, "\r\n--%s--\r\n", boundary) < 0)
        return -ENOMEM;
    b->end[b->ranges.count] = b->text.size;
    return total + (int64_t)b->text.size;
}

void byteranges_answer(struct request *r, const struct representation *p, const struct ranges *ranges, int fd)
{
    CLEANUP(body_free_ptr) struct body *b = calloc(1, sizeof(*b));
    const struct root_object *o = p->object;
    unsigned char random[BOUNDARY_BYTES];
    char boundary[BOUNDARY_MAX], type[TYPE_MAX];
    int64_t size = -ENOMEM;

    if (b) {
        b->fd = fd;
        b->ranges = *ranges;
        (void)!getrandom(random, sizeof(random), 0);
        text_hex(random, sizeof(random), boundary);
        size = make_texts(b, boundary,
                          object_name_type(&(struct object_name){r->key, o->described ? &o->manifest : NULL, false}),
                          p->size);
    } else {
        close(fd);
    }
    if (size < 0) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s", boundary);
    object_answer_headers(r, p, ranges);
    exchange_add_header(r->exchange, "Content-Type", type);
    exchange_answer_stream(r->exchange, 206, size,
                           &(struct exchange_stream){.read = read_body, .done = body_free, .ctx = TAKE_PTR(b)});
}
