/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a portable heap dump: two readers agree about its end, all is reachable, sums hold.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "hprof/heap_phd.h"
#include "hprof/phd_reader.h"
#include "hprof/phd_summary.h"
#include "hprof/retained.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct heap *h)
{
    uint64_t count = 0, bytes = 0;
    struct retained r = {0};
    struct err e;

    for (size_t i = 0; i < h->type_count; i++) {
        assert(h->types[i].name && h->types[i].size % 8 == 0);
        count += h->types[i].count;
        bytes += h->types[i].bytes;
    }
    assert(count == h->objects);
    h->verify = true;
    if (retained_find(h, &r, &e) < 0)
        return;
    assert(r.unreachable_count == 0 && r.reachable == bytes);
    retained_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heap_limits limits = {.threads = 1, .memory = 64 * 1024 * 1024, .fd = -1};
    struct summary s = {0};
    char why[128];
    struct phd p;
    struct heap *h;
    struct err e;

    if (phd_summary(data, size, &s) == 0)
        assert(s.top_count > 0 && *s.sentence && memchr(s.sentence, '\0', sizeof(s.sentence)));
    if (heap_load_within(data, size, &limits, &h, &e) < 0)
        return 0;
    phd_init(&p);
    phd_feed(&p, data, size);
    if (h->phd) {
        assert((phd_partial(&p, why, sizeof(why)) == NULL) == (h->reader.cut == NULL));
        check(h);
    }
    heap_free(h);
    return 0;
}
