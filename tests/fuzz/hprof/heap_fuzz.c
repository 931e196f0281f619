/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a heap dump: the graph's edges are in order and lead to objects, and its sums add up.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "hprof/heap.h"
#include "hprof/heap_collect.h"
#include "hprof/heap_link.h"
#include "hprof/heap_names.h"
#include "hprof/retained.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_graph(const struct heap *h)
{
    for (uint32_t n = 0; n < h->objects; n++) {
        struct heap_edges edges = heap_edges_of(h, n);

        while (heap_edges_next(&edges))
            assert(edges.target < h->objects);
    }
}

static void check_tree(const struct heap *h)
{
    struct retained r;
    struct err e;

    if (retained_find(h, &r, &e) < 0)
        return;
    for (uint32_t p = 1; p < r.count; p++) {
        uint32_t over = retained_over(&r, p);

        assert(over < p && retained_end(&r, p) <= retained_end(&r, over) && retained_end(&r, p) > p);
        assert(retained_at(&r, retained_node(&r, p)) == p);
        assert(retained_bytes(&r, p) >= heap_size(h, retained_node(&r, p)));
        assert(retained_shallow(&r, p) == heap_size(h, retained_node(&r, p)));
    }
    retained_done(&r);
}

static void check_objects(const struct heap *h)
{
    uint64_t count = 0, bytes = 0, last = 0;

    for (uint32_t n = 0; n < h->objects; n++) {
        uint64_t id = heap_index_id(h->index, n);

        assert(heap_index_find(h->index, id) == n && (n == 0 || id > last));
        assert(heap_type_of(h, n) < h->type_count);
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

    if (heap_load_within(data, size, &(struct heap_limits){.threads = 1 + (unsigned)size % 3, .fd = -1}, &h, &e) < 0)
        return 0;
    check_graph(h);
    check_tree(h);
    check_objects(h);
    heap_free(h);
    return 0;
}
