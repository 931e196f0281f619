/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a seek table: what is accepted is encoded to the same bytes (but for checksums and unused bits, which
 * we don't write) and read back the same. And any frames: encoded, they are read back.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "codec/seektable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *check_round_trip(const struct frames *f)
{
    CLEANUP(frames_done) struct frames again = {0};
    size_t size = seektable_size(f);
    unsigned char *table = malloc(size);
    uint64_t peeked = 0;

    assert(table);
    seektable_encode(f, table);
    assert(seektable_peek(table + size - SEEKTABLE_FOOTER_SIZE, &peeked) == 0 && peeked == size);
    assert(seektable_decode(table, size, &again) == 0);
    assert(again.count == f->count);
    assert(f->count == 0 || memcmp(again.frame, f->frame, f->count * sizeof(*f->frame)) == 0);
    return table;
}

static void check_table(const uint8_t *data, size_t size)
{
    CLEANUP(frames_done) struct frames f = {0};
    uint64_t peeked = 0;

    if (seektable_decode(data, size, &f) < 0) {
        assert(!f.frame && f.count == 0);
        return;
    }
    assert(seektable_peek(data + size - SEEKTABLE_FOOTER_SIZE, &peeked) == 0 && peeked == size);
    CLEANUP_FREE void *table = check_round_trip(&f);
    if (data[size - 5] == 0) /* no checksums, no unused bits */
        assert(seektable_size(&f) == size && memcmp(table, data, size) == 0);
}

static void check_frames(const uint8_t *data, size_t size)
{
    CLEANUP(frames_done) struct frames f = {0};
    uint32_t sizes[2];

    for (; size >= sizeof(sizes); data += sizeof(sizes), size -= sizeof(sizes)) {
        memcpy(sizes, data, sizeof(sizes));
        assert(frames_add(&f, sizes[0], sizes[1]) == 0);
    }
    free(check_round_trip(&f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t peeked = 7;

    if (size >= SEEKTABLE_FOOTER_SIZE && seektable_peek(data, &peeked) == 0)
        assert(peeked >= 17 && peeked <= 17 + 12 * (uint64_t)SEEKTABLE_FRAMES_MAX);
    else
        assert(peeked == 7);
    check_table(data, size);
    check_frames(data, size);
    return 0;
}
