/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk over the records before the first heap dump record; only the beginning of each body is read.
 */
#include "hprof/hproforigin.h"

#include <string.h>

#include "hprof/hprof.h"

enum { HEADER_SIZE = 31, ID_SIZE_AT = 19, RECORD_HEAD = 9, ID_MAX = 8, TEXT_MAX = 29 };
enum {
    TAG_TEXT = 1,
    TAG_LOAD_CLASS = 2,
    TAG_FRAME = 4,
    TAG_TRACE = 5,
    TAG_HEAP = 0x0C,
    TAG_SEGMENT = 0x1C,
    TAG_END = 0x2C
};

static uint64_t number(const struct hproforigin *h, unsigned at, unsigned size)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < size; i++)
        n = n << 8 | h->head[at + i];
    return n;
}

static uint64_t id(const struct hproforigin *h, unsigned at)
{
    return number(h, at, h->id_size);
}

static void want(struct hproforigin *h, unsigned bytes)
{
    h->wanted = bytes;
    h->head_size = 0;
}

void hproforigin_init(struct hproforigin *h)
{
    *h = (struct hproforigin){0};
    want(h, HEADER_SIZE);
}

void hproforigin_end(struct hproforigin *h)
{
    if (h->answer == HPROFORIGIN_UNDECIDED)
        h->answer = HPROFORIGIN_UNKNOWN;
}

static void parse_header(struct hproforigin *h)
{
    h->id_size = (unsigned)number(h, ID_SIZE_AT, 4);
    h->header = true;
    want(h, RECORD_HEAD);
    if (!hprof_probe(h->head, ID_SIZE_AT) || (h->id_size != 4 && h->id_size != ID_MAX))
        hproforigin_end(h);
}

/* How many bytes of a record's body are needed; 0: none. */
static unsigned body_wanted(const struct hproforigin *h)
{
    unsigned wanted = 0;

    switch (h->tag) {
    case TAG_TEXT:
        return h->length >= h->id_size && h->length <= h->id_size + TEXT_MAX ? h->length : 0;
    case TAG_LOAD_CLASS:
        wanted = 8 + 2 * h->id_size;
        break;
    case TAG_FRAME:
        wanted = 8 + 4 * h->id_size;
        break;
    case TAG_TRACE:
        wanted = 12 + h->id_size;
        break;
    default:
        break;
    }
    return wanted <= h->length ? wanted : 0;
}

static void parse_record(struct hproforigin *h)
{
    h->tag = h->head[0];
    h->length = (uint32_t)number(h, 5, 4);
    if (h->tag == TAG_HEAP || h->tag == TAG_SEGMENT || h->tag == TAG_END) {
        /* HotSpot's dumps have all of these names, and frames of threads. */
        h->answer = h->class_serial && h->init && h->signature && h->has_frames && h->modern ? HPROFORIGIN_REQUESTED
                                                                                             : HPROFORIGIN_UNKNOWN;
        return;
    }
    if (h->tag == 0) { /* no record */
        hproforigin_end(h);
        return;
    }
    if (body_wanted(h) > 0) {
        want(h, body_wanted(h));
        return;
    }
    h->skip = h->length;
    h->length = 0;
    want(h, RECORD_HEAD);
}

static void parse_text(struct hproforigin *h)
{
    static const char modern[] = "java/lang/invoke/MethodHandle", error[] = "java/lang/OutOfMemoryError";
    const unsigned char *text = h->head + h->id_size;
    size_t size = h->length - h->id_size;

    if (size == 6 && memcmp(text, "<init>", 6) == 0)
        h->init = id(h, 0);
    else if (size == 3 && memcmp(text, "()V", 3) == 0)
        h->signature = id(h, 0);
    else if (size == sizeof(error) - 1 && memcmp(text, error, size) == 0)
        h->name = id(h, 0);
    else if (size == sizeof(modern) - 1 && memcmp(text, modern, size) == 0)
        h->modern = true;
}

static void parse_body(struct hproforigin *h)
{
    switch (h->tag) {
    case TAG_TEXT:
        parse_text(h);
        break;
    case TAG_LOAD_CLASS:
        if (h->name && id(h, 8 + h->id_size) == h->name)
            h->class_serial = (uint32_t)number(h, 0, 4);
        break;
    case TAG_FRAME:
        h->has_frames = true;
        if (h->class_serial && h->init && h->signature && number(h, 4 * h->id_size, 4) == h->class_serial &&
            id(h, h->id_size) == h->init && id(h, 2 * h->id_size) == h->signature)
            h->frame = id(h, 0);
        break;
    case TAG_TRACE:
        if (h->frame && number(h, 8, 4) > 0 && id(h, 12) == h->frame)
            h->answer = HPROFORIGIN_OOM;
        break;
    default:
        break;
    }
    h->skip = h->length - h->wanted;
    h->length = 0;
    want(h, RECORD_HEAD);
}

void hproforigin_feed(struct hproforigin *h, const void *data, size_t size)
{
    const unsigned char *p = data;

    while (size > 0 && h->answer == HPROFORIGIN_UNDECIDED) {
        size_t n;

        if (h->skip > 0) {
            n = h->skip < size ? (size_t)h->skip : size;
            h->skip -= n;
        } else {
            n = h->wanted - h->head_size < size ? h->wanted - h->head_size : size;
            memcpy(h->head + h->head_size, p, n);
            h->head_size += (unsigned)n;
            if (h->head_size == h->wanted && !h->header)
                parse_header(h);
            else if (h->head_size == h->wanted && h->length > 0)
                parse_body(h);
            else if (h->head_size == h->wanted)
                parse_record(h);
        }
        p += n;
        size -= n;
    }
}
