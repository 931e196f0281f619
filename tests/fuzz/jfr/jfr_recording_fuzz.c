/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a flight recording: sums that hold, texts that end.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "jfr/jfr_bytes.h"
#include "jfr/jfr_chunk.h"
#include "jfr/jfr_recording.h"
#include "jfr/jfr_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct jfr_counts *c)
{
    uint64_t count = 0;

    assert(c->count <= JFR_NAMES_MAX && c->count <= c->total);
    for (size_t i = 0; i < c->count; i++) {
        count += c->row[i].count;
        assert(c->row[i].count > 0 && memchr(c->row[i].name, '\0', JFR_NAME_MAX));
        assert(i == 0 || c->row[i - 1].weight >= c->row[i].weight);
    }
    assert(count <= c->total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jfr_recording r;
    struct summary s;
    struct err e;

    if (jfr_recording_read(data, size, &r, &e) < 0)
        return 0;
    assert(r.chunks > 0 && r.end_ns >= r.start_ns);
    assert(memchr(r.jvm, '\0', sizeof(r.jvm)) && memchr(r.options, '\0', sizeof(r.options)));
    check(&r.causes);
    check(&r.old_objects);
    check(&r.allocated);
    check(&r.methods);
    check(&r.errors);
    jfr_recording_done(&r);
    assert(jfr_summary(data, size, &s) == 0 && *s.sentence && memchr(s.sentence, '\0', sizeof(s.sentence)));
    return 0;
}
