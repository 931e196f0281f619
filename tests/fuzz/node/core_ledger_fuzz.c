/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as the handlers' ledger: what is in it after that can be counted on, and written.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "node/core_ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rate rate = {3, 60000};
    struct core_ledger *l = malloc(sizeof(*l));
    struct core_entry entry = {.end = CORE_STORED};
    struct buf text = {.ceiling = LEDGER_MAX};
    uint64_t limited;

    assert(l);
    core_ledger_decode((const char *)data, size, l);
    assert(l->buckets <= LEDGER_BUCKETS && l->lasts <= LEDGER_LAST);
    for (int i = 0; i < 4; i++)
        core_ledger_admit(l, "/a", &rate, 1000, &limited);
    assert(!core_ledger_admit(l, "/a", &rate, 1000, &limited) && limited > 0);
    core_ledger_record(l, &entry);
    assert(l->lasts <= LEDGER_LAST);
    assert(core_ledger_encode(l, &text) == 0 && text.size <= LEDGER_MAX);
    buf_done(&text);
    free(l);
    return 0;
}
