/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Each worker reads a row of neighbouring segments into lists of its own; the lists are joined in the
 * order of the dump.
 */
#include "hprof/heap_collect.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "hprof/heap_names.h"

/* Pages of the index take at most as many bytes as the dump, and 16 MiB. */
enum { ALIGNED_SHIFT = 3, PAGES_LEAST = 4096, PAGE_BYTES = 5400 };
enum { CHUNK = 1 << 20, CHUNKS_MAX = 1 << 28, SEEN = 256 };

struct seen {
    uint64_t id;
    bool array, used;
};

struct worker {
    struct heap *h;
    struct heap_part *segment; /* its row */
    size_t segment_count;
    struct heap_index *index;
    struct heap_chunk *chunk;
    size_t chunk_count, chunk_capacity;
    struct heap_root_info *root;
    size_t root_count, root_capacity;
    struct heap_class *class;
    size_t class_count, class_capacity;
    uint64_t least, most;    /* ids of the chunk */
    struct seen seen[SEEN];  /* classes that were met last */
    struct id_map class_ids; /* value: 1 if it is an array's */
    bool doubles;            /* an object is there twice */
    int result;
};

struct collect {
    struct worker worker[HEAP_THREADS_MOST];
    unsigned count, next;
};

static int on_root(void *ctx, const struct heap_root_record *root)
{
    struct worker *w = ctx;
    int r = array_reserve(&w->root, w->root_count + 1, &w->root_capacity, sizeof(*w->root), HEAP_ROOTS_MAX);

    if (r < 0)
        return r;
    w->root[w->root_count++] = (struct heap_root_info){HEAP_NONE, *root};
    return 0;
}

static int add_id(struct worker *w, uint64_t id)
{
    int r = heap_index_add(w->index, id);

    w->doubles |= r > 0;
    if (id < w->least)
        w->least = id;
    if (id > w->most)
        w->most = id;
    return r < 0 ? r : 0;
}

static int note_class(struct worker *w, uint64_t id, bool array)
{
    struct seen *seen = &w->seen[(id >> 3 ^ id >> 11) % SEEN];

    if (seen->used && seen->id == id && seen->array == array)
        return 0;
    *seen = (struct seen){id, array, true};
    return id_map_get(&w->class_ids, id) == ID_MAP_NONE || array ? id_map_put(&w->class_ids, id, array) : 0;
}

static int on_class(void *ctx, const struct heap_class *c)
{
    struct worker *w = ctx;
    int r = array_reserve(&w->class, w->class_count + 1, &w->class_capacity, sizeof(*w->class), HEAP_CLASSES_MAX);

    if (r < 0)
        return r;
    w->class[w->class_count++] = *c;
    return add_id(w, c->id);
}

static int on_instance(void *ctx, const struct heap_instance *o)
{
    struct worker *w = ctx;
    int r = note_class(w, o->class_id, false);

    return r < 0 ? r : add_id(w, o->id);
}

static int on_array(void *ctx, const struct heap_array *a)
{
    struct worker *w = ctx;
    int r = a->type == HEAP_OBJECT ? note_class(w, a->class_id, true) : 0;

    return r < 0 ? r : add_id(w, a->id);
}

static int read_segment(struct worker *w, struct heap_part *segment)
{
    const struct heap_events events = {
        .ctx = w, .root = on_root, .class = on_class, .instance = on_instance, .array = on_array};
    const unsigned char *from = segment->from;

    while (from < segment->end) {
        size_t left = (size_t)(segment->end - from);
        struct heap_part part = {.from = from, .to = from + (left < CHUNK ? left : CHUNK), .end = segment->end};
        int r;

        w->least = UINT64_MAX;
        w->most = 0;
        if ((r = heap_reader_walk_part(&w->h->reader, &part, &events)) < 0 ||
            (r = array_reserve(&w->chunk, w->chunk_count + 1, &w->chunk_capacity, sizeof(*w->chunk), CHUNKS_MAX)) < 0)
            return r;
        w->chunk[w->chunk_count++] = (struct heap_chunk){from, part.to, segment->end, w->least, w->most};
        if (part.cut)
            segment->cut = part.cut;
        heap_release(w->h, from, (size_t)(part.to - from));
        from = part.to;
    }
    return 0;
}

static void work(void *ctx)
{
    struct collect *c = ctx;
    unsigned i;

    while ((i = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED)) < c->count) {
        struct worker *w = &c->worker[i];

        for (size_t s = 0; s < w->segment_count && w->result == 0; s++)
            w->result = read_segment(w, &w->segment[s]);
    }
}

/* Rows of about the same number of bytes. */
static void divide(struct collect *c, const struct heap_segments *s)
{
    uint64_t total = 0, before = 0;
    unsigned i = 0;

    for (size_t k = 0; k < s->count; k++)
        total += (uint64_t)(s->segment[k].end - s->segment[k].from);
    for (unsigned k = 0; k < c->count; k++)
        c->worker[k].segment = s->segment;
    for (size_t k = 0; k < s->count; k++) {
        while (i + 1 < c->count && before >= total / c->count * (i + 1))
            i++;
        if (c->worker[i].segment_count++ == 0)
            c->worker[i].segment = &s->segment[k];
        before += (uint64_t)(s->segment[k].end - s->segment[k].from);
    }
}

static int join_lists(struct heap *h, struct worker *w)
{
    size_t chunks = h->chunk_count + w->chunk_count, roots = h->root_count + w->root_count;
    int r;

    if ((r = array_reserve(&h->chunks, chunks + 1, &h->chunk_capacity, sizeof(*h->chunks), CHUNKS_MAX)) < 0 ||
        (r = array_reserve(&h->roots, roots + 1, &h->root_capacity, sizeof(*h->roots), HEAP_ROOTS_MAX)) < 0)
        return r;
    for (size_t i = 0; i < w->chunk_count; i++)
        h->chunks[h->chunk_count++] = w->chunk[i];
    for (size_t i = 0; i < w->root_count; i++)
        h->roots[h->root_count++] = w->root[i];
    for (size_t i = 0; i < w->class_count; i++) {
        uint32_t type = heap_type_for(h, w->class[i].id);

        if (type == HEAP_NONE)
            return -ENOMEM;
        if (!h->types[type].known) /* of two records the first counts, as with objects */
            h->types[type].record = w->class[i];
        h->types[type].known = true;
    }
    for (size_t i = 0; i < w->segment_count; i++)
        if (w->segment[i].cut)
            h->reader.cut = w->segment[i].cut;
    return 0;
}

struct class_id {
    uint64_t id;
    bool array;
};

static int by_id(const void *a, const void *b)
{
    const struct class_id *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* Types for classes of objects that have no record, in an order that no thread changes. */
static int add_types(struct heap *h, const struct id_map *ids)
{
    struct class_id *all = calloc(ids->count + 1, sizeof(*all));
    size_t count = 0;
    int r = all ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < ids->slots; i++)
        if (ids->value[i] != ID_MAP_NONE)
            all[count++] = (struct class_id){ids->key[i], ids->value[i]};
    if (count > 0)
        qsort(all, count, sizeof(*all), by_id);
    for (size_t i = 0; r == 0 && i < count; i++) {
        uint32_t type = heap_type_for(h, all[i].id);

        if (type == HEAP_NONE)
            r = -ENOMEM;
        else if (all[i].array && !h->types[type].element)
            h->types[type].element = HEAP_OBJECT;
    }
    free(all);
    return r;
}

static int join(struct heap *h, struct collect *c)
{
    struct id_map *ids = &c->worker[0].class_ids;
    int r;

    for (unsigned i = 0; i < c->count; i++) {
        struct worker *w = &c->worker[i];

        if (w->result < 0)
            return w->result;
        if ((r = join_lists(h, w)) < 0)
            return r;
        h->doubles |= w->doubles;
        for (size_t k = 0; i > 0 && k < w->class_ids.slots; k++)
            if (w->class_ids.value[k] != ID_MAP_NONE &&
                (id_map_get(ids, w->class_ids.key[k]) == ID_MAP_NONE || w->class_ids.value[k]) &&
                (r = id_map_put(ids, w->class_ids.key[k], w->class_ids.value[k])) < 0)
                return r;
        if (i == 0)
            h->index = TAKE_PTR(w->index);
        else if ((r = heap_index_merge(h->index, w->index)) < 0)
            return r;
        else
            h->doubles |= r > 0;
    }
    return (r = add_types(h, ids)) < 0 ? r : heap_index_seal(h->index);
}

static void collect_done(struct collect *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        struct worker *w = &c->worker[i];

        heap_index_free(w->index);
        free(w->chunk);
        free(w->root);
        free(w->class);
        id_map_done(&w->class_ids);
    }
    free(c);
}

static int read_objects(struct heap *h, const struct heap_segments *s, unsigned shift)
{
    struct collect *c = calloc(1, sizeof(*c));
    int r = 0;

    if (!c)
        return -ENOMEM;
    c->count = s->count < h->threads ? 1 : h->threads;
    divide(c, s);
    for (unsigned i = 0; i < c->count && r == 0; i++) {
        c->worker[i].h = h;
        r = heap_index_new(shift, PAGES_LEAST + h->reader.size / PAGE_BYTES, &c->worker[i].index);
    }
    if (r == 0) {
        parallel_run(c->count, work, c);
        r = join(h, c);
    }
    collect_done(c);
    return r;
}

void heap_collect_undo(struct heap *h)
{
    heap_index_free(h->index);
    h->index = NULL;
    h->dumps = h->dump_shown = 0;
    h->text_count = h->type_count = h->frame_count = h->trace_count = h->root_count = h->chunk_count = 0;
    id_map_done(&h->text_of_id);
    id_map_done(&h->type_of_id);
    id_map_done(&h->type_of_serial);
    id_map_done(&h->frame_of_id);
    id_map_done(&h->trace_of_serial);
}

static int collect(struct heap *h, unsigned shift)
{
    struct heap_segments segments = {0};
    int r = heap_names_read(h, &segments);

    if (r == 0)
        r = read_objects(h, &segments, shift);
    free(segments.segment);
    return r;
}

int heap_collect(struct heap *h)
{
    int r = collect(h, ALIGNED_SHIFT);

    if (r == -EINVAL) { /* ids that are no addresses of aligned objects: the hprof agent's */
        heap_collect_undo(h);
        r = collect(h, 0);
    }
    if (r == 0)
        h->objects = heap_index_count(h->index);
    return r;
}
