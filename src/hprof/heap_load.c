/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Two passes over the dump: names, classes and ids (heap_collect.h), then types and edges (heap_link.h).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "hprof/heap.h"
#include "hprof/heap_collect.h"
#include "hprof/heap_link.h"
#include "hprof/heap_phd.h"

struct heap_edges heap_edges_of(const struct heap *h, uint32_t node)
{
    uint32_t type = heap_type_of(h, node);

    return (struct heap_edges){.cursor = graph_edges_of(&h->graph, node),
                               .weak_first = h->types[type].referent != UINT32_MAX,
                               .also = h->graph_types[type].also};
}

bool heap_edges_next(struct heap_edges *edges)
{
    if (edge_cursor_more(&edges->cursor)) {
        edges->target = edge_cursor_next(&edges->cursor);
        edges->weak = edges->weak_first;
        edges->weak_first = false;
        return true;
    }
    edges->target = edges->also;
    edges->weak = false;
    edges->also = HEAP_NONE;
    return edges->target != HEAP_NONE;
}

int heap_walk(const struct heap *h, const struct heap_events *events)
{
    int r = 0;

    for (size_t i = 0; i < h->chunk_count && r == 0; i++) {
        const struct heap_chunk *chunk = &h->chunks[i];
        struct heap_part part = {.from = chunk->from, .to = chunk->to, .end = chunk->end};

        r = heap_reader_walk_part(&h->reader, &part, events);
        heap_release(h, chunk->from, (size_t)(chunk->to - chunk->from));
    }
    return r;
}

static int load(struct heap *h)
{
    int r;

    if ((r = heap_collect(h)) < 0 || (r = heap_resolve_types(h)) < 0 || (r = heap_link(h)) < 0)
        return r;
    heap_measure(h);
    return 0;
}

void heap_free(struct heap *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->type_count; i++) {
        free(h->types[i].name);
        free(h->types[i].references);
    }
    heap_collect_undo(h);
    edge_lists_done(&h->graph.lists);
    big_array_free(&h->graph.type);
    big_array_free(&h->graph.several);
    free(h->graph_types);
    free(h->root_nodes);
    free(h->chunks);
    free(h->types);
    free(h->texts);
    free(h->frames);
    free(h->traces);
    free(h->roots);
    free(h);
}

DEFINE_CLEANUP(struct heap *, heap_free)

static int explain(int result, struct err *e)
{
    switch (result) {
    case -E2BIG:
        return err_set(e, result, "the dump has more objects or references than 2^32");
    case -EOVERFLOW:
        return err_set(e, -FAULT_FORMAT, "the addresses of its objects lie too far apart for a heap of its size");
    case -ENOMEM:
        return err_set(e, result, "out of memory for the heap's graph");
    default:
        return err_set(e, result,
                       "no room in the temporary file for the heap's graph: %s (TMPDIR names another folder)",
                       strerror(-result));
    }
}

int heap_load_within(const void *data, size_t size, const struct heap_limits *limits, struct heap **ret, struct err *e)
{
    CLEANUP(heap_free_ptr) struct heap *h = calloc(1, sizeof(*h));
    int r;

    assert(ret);
    if (!h)
        return err_set(e, -ENOMEM, "out of memory");
    h->threads = limits && limits->threads ? limits->threads : 1;
    if (h->threads > HEAP_THREADS_MOST)
        h->threads = HEAP_THREADS_MOST;
    h->memory.fd = -1;
    if (limits) {
        h->memory = (struct big_memory){.limit = limits->memory, .fd = limits->fd};
        h->release = limits->release;
        h->verify = limits->verify;
    }
    if ((r = heap_reader_init(&h->reader, data, size)) == 0)
        r = load(h);
    else if ((r = heap_phd_load(h, data, size)) == -EBADMSG)
        return err_set(e, -FAULT_FORMAT, "it is no heap dump of HotSpot's or OpenJ9's format");
    if (r < 0)
        return explain(r, e);
    *ret = TAKE_PTR(h);
    return 0;
}
