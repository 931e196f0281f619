/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the facts that an earlier attempt wrote down: what is read is printable, and written anew it is read the
 * same.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "place/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(facts_done) struct facts once = {0}, twice = {0};
    CLEANUP(buf_done) struct buf text = {.ceiling = FACTS_MAX}, again = {.ceiling = FACTS_MAX};

    if (facts_decode((const char *)data, size, &once) < 0)
        return 0;
    for (const struct fact_field *f = FACT_FIELDS; f->name; f++) {
        const char *value = *(char **)((char *)&once + f->offset);

        assert(!value || (*value && strlen(value) <= FACT_MAX && !strpbrk(value, "\n\x1b\x7f")));
    }
    assert(facts_encode(&once, &text) == 0);
    assert(facts_decode(text.data, text.size, &twice) == 0);
    assert(facts_encode(&twice, &again) == 0);
    assert(text.size == again.size && memcmp(text.data, again.data, text.size) == 0);
    return 0;
}
