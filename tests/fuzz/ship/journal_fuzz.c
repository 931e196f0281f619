/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever lies in a journal: its parts are contiguous and add up, and written anew they are read the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ship/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check(const struct journal *j)
{
    uint64_t stored_end = 0, raw_end = 0;

    for (size_t i = 0; i < j->count; i++) {
        const struct journal_part *p = &j->parts[i];

        for (size_t k = 0; k < p->frames.count; k++) {
            stored_end += p->frames.frame[k].stored;
            raw_end += p->frames.frame[k].raw;
        }
        require(p->number == i + 1 && p->stored_end == stored_end && p->raw_end == raw_end);
        require(p->size == stored_end - (i > 0 ? j->parts[i - 1].stored_end : 0));
        require(strnlen(p->etag, sizeof(p->etag)) < sizeof(p->etag));
        require(strnlen(p->raw_digest, sizeof(p->raw_digest)) < sizeof(p->raw_digest));
        require(strnlen(p->stored_digest, sizeof(p->stored_digest)) < sizeof(p->stored_digest));
    }
}

static void encode(const struct journal *j, struct buf *ret)
{
    require(journal_encode_head(&j->head, ret) == 0);
    require(!j->token || journal_encode_token(j->token, ret) == 0);
    for (size_t i = 0; i < j->count; i++)
        require(journal_encode_part(&j->parts[i], ret) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(journal_done) struct journal once = {0}, twice = {0};
    CLEANUP(buf_done) struct buf text = {0}, again = {0};

    if (journal_decode((const char *)data, size, &once) < 0)
        return 0;
    check(&once);
    encode(&once, &text);
    require(journal_decode(text.data, text.size, &twice) == 0);
    require(journal_head_same(&once.head, &twice.head) && once.count == twice.count && !once.token == !twice.token);
    encode(&twice, &again);
    require(text.size == again.size && memcmp(text.data, again.data, text.size) == 0);
    return 0;
}
