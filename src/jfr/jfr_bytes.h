/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Values of a flight recording: numbers are LEB128 (7 bits a byte, the ninth byte whole) or, in chunks
 * that are not compressed, big-endian of fixed width (JDK's jfrEncoders.hpp). Reading beyond the end gives zeros and
 * sets `bad`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jfr_cursor {
    const unsigned char *p, *end;
    bool compressed;
    bool bad; /* what was read is no value; stays set */
};

static inline uint64_t jfr_fixed(struct jfr_cursor *c, unsigned width)
{
    uint64_t v = 0;

    if ((size_t)(c->end - c->p) < width) {
        c->bad = true;
        c->p = c->end;
        return 0;
    }
    while (width-- > 0)
        v = v << 8 | *c->p++;
    return v;
}

/* width: bytes where numbers are not compressed. */
static inline uint64_t jfr_number(struct jfr_cursor *c, unsigned width)
{
    uint64_t v = 0;

    if (!c->compressed)
        return jfr_fixed(c, width);
    for (unsigned shift = 0; c->p < c->end; shift += 7) {
        unsigned char byte = *c->p++;

        if (shift == 56)
            return v | (uint64_t)byte << 56;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return v;
    }
    c->bad = true;
    return 0;
}

enum jfr_encoding { JFR_NULL, JFR_EMPTY, JFR_CONSTANT, JFR_UTF8, JFR_CHARS, JFR_LATIN1 };

/* Points into the recording. */
struct jfr_text {
    const unsigned char *at;
    size_t size; /* bytes */
    enum jfr_encoding encoding;
    uint64_t key; /* of a constant of type java.lang.String */
};

struct jfr_text jfr_text_read(struct jfr_cursor *c);

/* As UTF-8 into out[size], cut between characters; returns out. Constants are "" here. */
const char *jfr_text_copy(const struct jfr_text *t, bool compressed, char *out, size_t size);

/* word: ASCII. */
bool jfr_text_is(const struct jfr_text *t, const char *word);
