/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a heap dump: fed in one piece and in pieces the input chooses, the walk comes to the same end; and it
 * calls whole what a plain reading of the whole file calls whole, and nothing else.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hprof/hprof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t number(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The same question, asked of a file that is all there. */
static bool is_whole(const uint8_t *p, size_t size)
{
    bool heap = false, ended = false, empty = false;

    if (size < 31 || memcmp(p, "JAVA PROFILE 1.0.", 17) != 0 || (p[17] < '1' || p[17] > '3') || p[18] != 0 ||
        (number(p + 19) != 4 && number(p + 19) != 8))
        return false;
    for (size_t at = 31; at < size;) {
        bool dump = p[at] == 0x0C || p[at] == 0x1C;

        if (p[at] == 0 || (empty && !dump && p[at] != 0x2C) || size - at < 9 || number(p + at + 5) > size - at - 9)
            return false;
        empty = dump && number(p + at + 5) == 0;
        heap |= dump && !empty;
        ended = p[at] == 0x2C || (ended && !dump);
        at += 9 + number(p + at + 5);
    }
    return p[17] == '1' ? heap && !empty : ended;
}

static void check(const uint8_t *cuts, size_t cut_count, const uint8_t *dump, size_t size)
{
    struct hprof one, many;
    char out[128], out_many[128];
    const char *partial;

    hprof_init(&one);
    hprof_feed(&one, dump, size);
    hprof_init(&many);
    for (size_t at = 0, i = 0; at < size; i++) {
        size_t piece = cut_count > 0 ? cuts[i % cut_count] % 64 + 1u : 1;

        piece = piece < size - at ? piece : size - at;
        hprof_feed(&many, dump + at, piece);
        at += piece;
        assert(many.offset == at);
        assert(many.state == HPROF_RECORD_BODY ? many.body_left > 0 : many.body_left == 0);
        assert(many.unpatched ? many.state == HPROF_BROKEN : true);
    }

    assert(one.offset == size && one.state == many.state && one.record_offset == many.record_offset);
    assert(one.body_left == many.body_left && one.head_size == many.head_size && one.records == many.records);
    assert(one.heap_segments == many.heap_segments && one.ended == many.ended && one.unpatched == many.unpatched);
    assert(one.problem == many.problem && one.time_ms == many.time_ms && one.id_size == many.id_size);

    partial = hprof_partial(&one, out, sizeof(out));
    assert(!partial == is_whole(dump, size));
    assert(!hprof_partial(&many, out_many, sizeof(out_many)) == !partial);
    assert(!partial || (*out && strlen(out) < sizeof(out) - 1 && strcmp(out, out_many) == 0));
    assert(hprof_probe(dump, size) || partial);
}

/* A byte that says how many bytes of cuts follow, and whether the rest is a dump or a dump's records. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t header[31] = "JAVA PROFILE 1.0.2\0\0\0\0\x08";
    size_t cuts;
    uint8_t *dump;

    if (size < 1)
        return 0;
    cuts = data[0] % 8 < size ? data[0] % 8 : 0;
    check(data + 1, cuts, data + 1 + cuts, size - 1 - cuts);
    size -= 1 + cuts;
    dump = malloc(sizeof(header) + size);
    assert(dump);
    memcpy(dump, header, sizeof(header));
    dump[17] = data[0] & 0x80 ? '1' : '2';
    memcpy(dump + sizeof(header), data + 1 + cuts, size);
    check(data + 1, cuts, dump, sizeof(header) + size);
    free(dump);
    return 0;
}
