/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk over a heap dump's top-level records. A body costs one step for each piece that is fed, however long it is.
 * Unknown tags are taken for records of a future JDK; bodies are not parsed.
 */
#include "hprof/hprof.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAGIC_SIZE = 19, HEADER_SIZE = 31, RECORD_HEAD_SIZE = 9 };
enum { TAG_HEAP_DUMP = 0x0C, TAG_HEAP_DUMP_SEGMENT = 0x1C, TAG_HEAP_DUMP_END = 0x2C };

static const char MAGIC_1[MAGIC_SIZE] = "JAVA PROFILE 1.0.1";
static const char MAGIC_2[MAGIC_SIZE] = "JAVA PROFILE 1.0.2";
static const char MAGIC_3[MAGIC_SIZE] = "JAVA PROFILE 1.0.3"; /* Android's */

static uint32_t get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static bool is_heap_dump(unsigned char tag)
{
    return tag == TAG_HEAP_DUMP || tag == TAG_HEAP_DUMP_SEGMENT;
}

bool hprof_probe(const void *data, size_t size)
{
    size_t n = size < MAGIC_SIZE ? size : MAGIC_SIZE;

    return n > 0 && (memcmp(data, MAGIC_1, n) == 0 || memcmp(data, MAGIC_2, n) == 0 || memcmp(data, MAGIC_3, n) == 0);
}

void hprof_init(struct hprof *h)
{
    *h = (struct hprof){.state = HPROF_HEADER};
}

static void broken(struct hprof *h, const char *problem)
{
    h->state = HPROF_BROKEN;
    h->problem = problem;
}

static void parse_header(struct hprof *h)
{
    uint32_t id_size = get_u32(h->head + MAGIC_SIZE);

    if (!hprof_probe(h->head, HEADER_SIZE)) {
        broken(h, "no JAVA PROFILE header");
        return;
    }
    if (id_size != 4 && id_size != 8) {
        broken(h, "an identifier size in the header that is neither 4 nor 8");
        return;
    }
    h->version_minor = (unsigned)h->head[MAGIC_SIZE - 2] - '0';
    h->id_size = id_size;
    h->time_ms = (int64_t)((uint64_t)get_u32(h->head + 23) << 32 | get_u32(h->head + 27));
    h->state = HPROF_RECORD_HEAD;
    h->head_size = 0;
}

/* Stops the walk where no record can begin. */
static bool check_tag(struct hprof *h)
{
    unsigned char tag = h->head[0];

    if (h->empty_dump && !is_heap_dump(tag) && tag != TAG_HEAP_DUMP_END) {
        h->unpatched = true;
        broken(h, "a heap dump record whose length was never filled in");
        return false;
    }
    if (tag == 0) { /* a hole in the file: preallocated, or written out of order */
        broken(h, "zeros in the place of a record");
        return false;
    }
    return true;
}

static void parse_record_head(struct hprof *h)
{
    unsigned char tag = h->head[0];
    uint32_t length = get_u32(h->head + 5);

    h->records++;
    h->empty_dump = is_heap_dump(tag) && length == 0;
    if (is_heap_dump(tag)) {
        h->heap_segments += length > 0;
        h->ended = false; /* a file can hold several dumps, each with its end */
    } else if (tag == TAG_HEAP_DUMP_END) {
        h->ended = true;
    }
    h->body_left = length;
    h->state = length > 0 ? HPROF_RECORD_BODY : HPROF_RECORD_HEAD;
    h->head_size = 0; /* the bytes stay: head[0] is the tag during the body */
}

/* Collects size bytes in head; true once they are complete. */
static bool collect(struct hprof *h, const unsigned char **p, size_t *left, unsigned size)
{
    size_t n = size - h->head_size < *left ? size - h->head_size : *left;

    memcpy(h->head + h->head_size, *p, n);
    h->head_size += (unsigned)n;
    h->offset += n;
    *p += n;
    *left -= n;
    return h->head_size == size;
}

void hprof_feed(struct hprof *h, const void *data, size_t size)
{
    const unsigned char *p = data;

    while (size > 0) {
        uint64_t n = size;

        switch (h->state) {
        case HPROF_HEADER:
            if (collect(h, &p, &size, HEADER_SIZE))
                parse_header(h);
            continue;
        case HPROF_RECORD_HEAD:
            if (h->head_size == 0) {
                h->record_offset = h->offset;
                h->head[0] = *p;
                if (!check_tag(h))
                    continue;
            }
            if (collect(h, &p, &size, RECORD_HEAD_SIZE))
                parse_record_head(h);
            continue;
        case HPROF_RECORD_BODY:
            if (n >= h->body_left) {
                n = h->body_left;
                h->state = HPROF_RECORD_HEAD;
            }
            h->body_left -= n;
            break;
        case HPROF_BROKEN:
            break;
        }
        h->offset += n;
        p += n;
        size -= (size_t)n;
    }
}

const char *hprof_partial(const struct hprof *h, char *out, size_t size)
{
    if (h->offset == 0)
        snprintf(out, size, "is empty");
    else if (h->state == HPROF_BROKEN && h->record_offset == 0)
        snprintf(out, size, "%s", h->problem);
    else if (h->state == HPROF_BROKEN)
        snprintf(out, size, "%s at byte %" PRIu64, h->problem, h->record_offset);
    else if (h->state == HPROF_HEADER && !hprof_probe(h->head, h->head_size))
        snprintf(out, size, "no JAVA PROFILE header");
    else if (h->state == HPROF_HEADER)
        snprintf(out, size, "ends inside the header (which needs %u bytes more)", HEADER_SIZE - h->head_size);
    else if (h->state == HPROF_RECORD_BODY)
        snprintf(out, size, "ends inside a record at byte %" PRIu64 " (tag 0x%02x needs %" PRIu64 " bytes more)",
                 h->record_offset, h->head[0], h->body_left);
    else if (h->head_size > 0)
        snprintf(out, size, "ends inside a record at byte %" PRIu64 " (its head needs %u bytes more)", h->record_offset,
                 RECORD_HEAD_SIZE - h->head_size);
    else if (h->version_minor == 1 && h->empty_dump)
        snprintf(out, size, "an empty HEAP DUMP record at byte %" PRIu64, h->record_offset);
    else if (h->version_minor == 1 && h->heap_segments == 0)
        snprintf(out, size, "no HEAP DUMP record");
    else if (h->version_minor != 1 && !h->ended)
        snprintf(out, size, "no HEAP DUMP END record");
    else
        return NULL;
    return out;
}
