/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the answer of a metadata service: what is taken from it is printable text that can be passed on.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "place/awsmeta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int (*parse)(const char *, size_t, struct facts *), const char *data, size_t size)
{
    CLEANUP(facts_done) struct facts f = {0}, again = {0};
    CLEANUP(buf_done) struct buf text = {.ceiling = FACTS_MAX};

    if (parse(data, size, &f) < 0)
        return;
    assert(!f.asked);
    assert(!f.task || !strchr(f.task, '/'));
    assert(facts_encode(&f, &text) == 0);
    assert(facts_decode(text.data, text.size, &again) == 0);
    for (const struct fact_field *field = FACT_FIELDS; field->name; field++) {
        const char *a = *(char **)((char *)&f + field->offset), *b = *(char **)((char *)&again + field->offset);

        assert(!a == !b && (!a || (strcmp(a, b) == 0 && strlen(a) <= FACT_MAX)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(awsmeta_parse_container, (const char *)data, size);
    check(awsmeta_parse_task, (const char *)data, size);
    check(awsmeta_parse_instance, (const char *)data, size);
    return 0;
}
