/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a heap dump: the graph's edges are in order and lead to objects, and its sums add up.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "hprof/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_graph(const struct heap *h)
{
    assert(h->graph.nodes == h->objects + 1 && h->first[0] == 0);
    for (uint32_t n = 0; n < h->graph.nodes; n++) {
        assert(h->first[n] <= h->first[n + 1]);
        for (uint32_t e = h->first[n]; e < h->first[n + 1]; e++)
            assert(h->to[e] < h->objects);
    }
}

static void check_objects(const struct heap *h)
{
    uint64_t count = 0, bytes = 0, last = 0;

    for (uint32_t n = 0; n < h->objects; n++) {
        uint64_t id = heap_index_id(h->index, n);

        assert(heap_index_find(h->index, id) == n && (n == 0 || id > last));
        assert(h->type[n] < h->type_count);
        bytes += heap_size(h, n);
        last = id;
    }
    for (size_t t = 0; t < h->type_count; t++) {
        assert(h->types[t].name);
        count += h->types[t].count;
        bytes -= h->types[t].bytes;
        (void)heap_is_a(h, (uint32_t)t, "java.lang.ref.Reference");
    }
    assert(count == h->objects && bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heap *h;
    struct err e;

    if (heap_load(data, size, &h, &e) < 0)
        return 0;
    check_graph(h);
    check_objects(h);
    heap_free(h);
    return 0;
}
