/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk over the records. Each step collects the bytes that have the length of the next part; everything else is
 * skipped.
 */
#include "hprof/phd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hprof/phd_tags.h"

enum { MAGIC_SIZE = 29, VERSION_AT = 20, FLAGS_AT = 24, VERSION_FIRST = 4, VERSION_LAST = 6 };
enum { FLAG_WIDE = 1, FLAG_HASHED = 2, FLAG_J9 = 4 };
enum { HEADER_TOTALS = 1, HEADER_END = 2, HEADER_RANDOMS = 3, HEADER_VERSION = 4, BODY_BEGINS = 2 };
static const char MAGIC[] = "\0\x12portable heap dump";

static uint32_t u32_at(const struct phd *p, unsigned at)
{
    return (uint32_t)p->head[at] << 24 | (uint32_t)p->head[at + 1] << 16 | (uint32_t)p->head[at + 2] << 8 |
           p->head[at + 3];
}

static void want(struct phd *p, enum phd_state state, unsigned bytes)
{
    p->state = state;
    p->wanted = bytes;
    p->head_size = 0;
}

static void broken(struct phd *p, const char *problem)
{
    p->state = PHD_BROKEN;
    p->problem = problem;
}

void phd_init(struct phd *p)
{
    *p = (struct phd){0};
    want(p, PHD_MAGIC, MAGIC_SIZE);
}

static unsigned word(const struct phd *p)
{
    return p->wide ? 8 : 4;
}

/* has_one: the record's flag, which counts if not every record has a hash. */
static unsigned hash(const struct phd *p, bool has_one)
{
    if (p->hashed)
        return 2;
    return has_one ? 4 : 0;
}

/* The size of an array's instance, which came with version 6. */
static unsigned instance(const struct phd *p)
{
    return p->version >= 6 ? 4 : 0;
}

static void parse_magic(struct phd *p)
{
    uint32_t flags = u32_at(p, FLAGS_AT);

    p->version = u32_at(p, VERSION_AT);
    p->wide = flags & FLAG_WIDE;
    p->hashed = (flags & (FLAG_HASHED | FLAG_J9)) == (FLAG_HASHED | FLAG_J9);
    if (memcmp(p->head, MAGIC, sizeof(MAGIC) - 1) != 0)
        broken(p, "no header of a portable heap dump");
    else if (p->version < VERSION_FIRST || p->version > VERSION_LAST || p->head[MAGIC_SIZE - 1] != 1)
        broken(p, "a header of an unknown version");
    else
        want(p, PHD_HEADER_TAG, 1);
}

static void parse_header_tag(struct phd *p)
{
    want(p, PHD_HEADER_TAG, 1);
    switch (p->head[0]) {
    case HEADER_TOTALS:
    case HEADER_RANDOMS:
        p->skip = 8;
        break;
    case HEADER_VERSION:
        want(p, PHD_VERSION_SIZE, 2);
        break;
    case HEADER_END:
        want(p, PHD_BODY_TAG, 1);
        break;
    default:
        broken(p, "an unknown record in its header");
    }
}

static void parse_version_size(struct phd *p)
{
    p->skip = (uint64_t)p->head[0] << 8 | p->head[1];
    if (p->skip > 0)
        p->state = PHD_VERSION_TEXT;
    else
        want(p, PHD_HEADER_TAG, 1);
}

static void parse_version_text(struct phd *p, const unsigned char *data, size_t size)
{
    size_t room = sizeof(p->jvm) - 1 - p->jvm_size, n = size < room ? size : room;

    memcpy(p->jvm + p->jvm_size, data, n);
    p->jvm_size += n;
    if (p->skip > 0)
        return;
    p->ints = p->jvm_size >= 4 && memcmp(p->jvm + p->jvm_size - 4, "0917", 4) == 0;
    want(p, PHD_HEADER_TAG, 1);
}

static void parse_tag(struct phd *p)
{
    unsigned tag = p->tag = p->head[0], gap = (tag >> 2 & 1) + 1, refs = tag >> 3 & 3, size = 1u << (tag & 3);

    want(p, PHD_TAG, 1);
    if (tag & PHD_TAG_SHORT_OBJECT)
        p->skip = gap + hash(p, false) + refs * size;
    else if (tag & PHD_TAG_MEDIUM_OBJECT)
        p->skip = gap + word(p) + hash(p, false) + (tag >> 3 & 7) * size;
    else if (tag & PHD_TAG_PRIMITIVE_ARRAY)
        p->skip = (size == 8 && p->ints ? 8 : 2 * size) + hash(p, false) + instance(p);
    else if (tag >= PHD_TAG_LONG_OBJECT && tag <= PHD_TAG_OBJECT_ARRAY)
        want(p, PHD_FLAGS, 1);
    else if (tag == PHD_TAG_END)
        p->state = PHD_ENDED;
    else
        broken(p, "no record where one should begin");
}

static void parse_flags(struct phd *p)
{
    unsigned flags = p->flags = p->head[0], gap = 1u << (flags >> 6 & 3);

    if (p->tag == PHD_TAG_CLASS) {
        want(p, PHD_CLASS, gap + 4 + hash(p, flags & PHD_FLAG_CLASS_HAS_HASH) + word(p) + 2);
    } else if (p->tag == PHD_TAG_LONG_PRIMITIVE_ARRAY) {
        want(p, PHD_TAG, 1);
        p->skip = (flags & PHD_FLAG_IN_WORDS ? 2 * word(p) : 2) + hash(p, flags & PHD_FLAG_HAS_HASH) + instance(p);
    } else {
        want(p, PHD_COUNT, gap + word(p) + hash(p, flags & PHD_FLAG_HAS_HASH) + 4);
    }
}

/* Skips the references and what follows them. */
static void parse_count(struct phd *p)
{
    uint64_t count = u32_at(p, p->wanted - 4);

    p->skip = count << (p->flags >> 4 & 3);
    if (p->tag == PHD_TAG_OBJECT_ARRAY || p->tag == PHD_TAG_OLD_OBJECT_ARRAY)
        p->skip += (p->tag == PHD_TAG_OBJECT_ARRAY ? 4 : 0) + instance(p);
    want(p, PHD_TAG, 1);
}

static void parse_class(struct phd *p)
{
    p->skip = (uint64_t)p->head[p->wanted - 2] << 8 | p->head[p->wanted - 1];
    want(p, PHD_CLASS_REFS, 4);
}

static void step(struct phd *p)
{
    switch (p->state) {
    case PHD_MAGIC:
        parse_magic(p);
        break;
    case PHD_HEADER_TAG:
        parse_header_tag(p);
        break;
    case PHD_VERSION_SIZE:
        parse_version_size(p);
        break;
    case PHD_BODY_TAG:
        if (p->head[0] == BODY_BEGINS)
            want(p, PHD_TAG, 1);
        else
            broken(p, "no records behind its header");
        break;
    case PHD_TAG:
        parse_tag(p);
        break;
    case PHD_FLAGS:
        parse_flags(p);
        break;
    case PHD_COUNT:
    case PHD_CLASS_REFS:
        parse_count(p);
        break;
    case PHD_CLASS:
        parse_class(p);
        break;
    case PHD_VERSION_TEXT:
    case PHD_ENDED:
    case PHD_BROKEN:
        break;
    }
}

void phd_feed(struct phd *p, const void *data, size_t size)
{
    const unsigned char *at = data, *end = at + size;

    while (at < end && p->state != PHD_ENDED && p->state != PHD_BROKEN) {
        size_t left = (size_t)(end - at), n;

        if (p->skip > 0) {
            n = p->skip < left ? (size_t)p->skip : left;
            p->skip -= n;
            if (p->state == PHD_VERSION_TEXT)
                parse_version_text(p, at, n);
        } else {
            if (p->head_size == 0 && (p->state == PHD_TAG || p->state == PHD_HEADER_TAG))
                p->record_offset = p->offset;
            n = p->wanted - p->head_size < left ? p->wanted - p->head_size : left;
            memcpy(p->head + p->head_size, at, n);
            p->head_size += (unsigned)n;
            if (p->head_size == p->wanted)
                step(p);
        }
        at += n;
        p->offset += n;
    }
    p->offset += (size_t)(end - at);
}

const char *phd_partial(const struct phd *p, char *out, size_t size)
{
    if (p->state == PHD_ENDED)
        return NULL;
    if (p->state == PHD_BROKEN)
        snprintf(out, size, "%s, at byte %" PRIu64, p->problem, p->record_offset);
    else if (p->state < PHD_TAG)
        snprintf(out, size, "ends inside its header");
    else if (p->state == PHD_TAG && p->skip == 0)
        snprintf(out, size, "ends without the tag that ends a portable heap dump");
    else
        snprintf(out, size, "ends inside the record at byte %" PRIu64, p->record_offset);
    return out;
}
