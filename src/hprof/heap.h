/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A heap dump as a graph: its objects are numbered in the order of their addresses (hprof/heap_index.h),
 * classes are objects, too; edges are references. Every node has a type. Borrows the dump, which stays mapped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "hprof/graph.h"
#include "hprof/heap_index.h"
#include "hprof/heap_reader.h"
#include "hprof/id_map.h"

enum { HEAP_THREADS_MOST = 16 };
enum { HEAP_CLASSES_MAX = 1 << 22, HEAP_ROOTS_MAX = 1 << 26, HEAP_FRAMES_MAX = 1 << 22, HEAP_TEXTS_MAX = 1 << 24 };

/* A class, or one of the eight of arrays with primitive elements. */
struct heap_type_info {
    struct heap_class record; /* id 0 for those of primitive arrays, and for a class of which there is no record */
    uint64_t name_id;         /* of its name's text; 0: none */
    char *name;               /* "java.util.HashMap", "byte[]"; owned */
    uint32_t super;           /* its number; HEAP_NONE */
    uint32_t node;            /* of the class object; HEAP_NONE */
    uint32_t *references;     /* offsets of references in the data of an instance; owned */
    uint32_t reference_count;
    uint32_t referent;     /* offset of a weak reference's referent, which keeps nothing alive; UINT32_MAX: none. The
                              first edge of an instance is the referent's, or leads to itself */
    uint32_t data_size;    /* bytes of an instance's data, with superclasses; with ids of id_size bytes */
    uint32_t object_refs;  /* of those, the references */
    unsigned char element; /* of an array; 0: no array */
    bool is_root;          /* a GC root keeps the class itself */
    bool known;            /* there is a CLASS DUMP of it */
    bool measured;         /* its size is the least distance to the next object, not the usual formula; no array */
    uint64_t count;        /* instances */
    uint64_t bytes;        /* all of them together, shallow */
    uint32_t size;         /* of an instance, shallow, bytes; arrays: see heap_size */
    uint32_t least_gap;    /* the smallest distance from an instance to the next object; UINT32_MAX: none */
};

struct heap_text {
    const char *text; /* in the dump, not NUL-terminated */
    uint32_t size;
};

struct heap_root_info {
    uint32_t node;
    struct heap_root_record record;
};

/* Some records of the dump, about a MiB of one segment. */
struct heap_chunk {
    const unsigned char *from, *to, *end; /* end: of the segment */
    uint64_t least, most;                 /* ids of the objects in it; least > most: none */
};

/* How much a heap may take. */
struct heap_limits {
    unsigned threads; /* 0: one */
    uint64_t memory;  /* bytes of large arrays; beyond them they lie in the temporary file; 0: no limit */
    int fd;           /* of a temporary file, borrowed; -1 */
    bool verify;      /* dominators are found a second time, by another algorithm, and compared */
    /* Of the dump, these bytes were read; they may be read again. */
    void (*release)(const void *data, size_t size);
};

struct heap {
    struct heap_reader reader;
    struct big_memory memory;
    unsigned threads;
    bool verify;
    void (*release)(const void *data, size_t size);
    struct heap_index *index;
    uint32_t objects;           /* nodes 0 … objects - 1; node `objects` stands for all GC roots */
    bool doubles;               /* an object is in the dump twice */
    unsigned dumps, dump_shown; /* in the file; of several: which this is, from 1 on (the last whole one); else 0 */
    bool phd; /* a portable heap dump (hprof/heap_phd.h): no fields, contents, stacks; assumed roots */
    struct graph graph;
    struct graph_type *graph_types; /* the graph's; owned */
    uint32_t *root_nodes;           /* the graph's; owned */
    struct heap_chunk *chunks;      /* all of the dump's objects */
    size_t chunk_count, chunk_capacity;

    struct heap_type_info *types;
    size_t type_count, type_capacity;
    uint32_t primitive[HEAP_TYPE_END]; /* numbers of the primitive arrays' types */
    uint32_t class_type;               /* of java.lang.Class; HEAP_NONE */
    struct id_map type_of_id, type_of_serial;

    struct heap_text *texts;
    size_t text_count, text_capacity;
    struct id_map text_of_id;

    struct heap_frame *frames;
    size_t frame_count, frame_capacity;
    struct id_map frame_of_id;
    struct heap_trace *traces;
    size_t trace_count, trace_capacity;
    struct id_map trace_of_serial;

    struct heap_root_info *roots;
    size_t root_count, root_capacity;

    unsigned reference_bytes; /* of a reference in the heap: 4 or 8 (the dump has always id_size) */
    unsigned header_bytes;    /* of an object */
    unsigned array_base;      /* of an array: header and length, before bytes */
};

/* Reads the dump at data, which must outlive the heap: two passes. limits NULL: one thread, no limit. The result does
 * not depend on them. -EBADMSG (no dump), -E2BIG, -ENOMEM. A dump that is cut gives what there is: h->reader.cut. */
int heap_load_within(const void *data, size_t size, const struct heap_limits *limits, struct heap **ret, struct err *e);
static inline int heap_load(const void *data, size_t size, struct heap **ret, struct err *e)
{
    return heap_load_within(data, size, NULL, ret, e);
}

void heap_free(struct heap *h);

/* The number of a node's type, below h->type_count. */
static inline uint32_t heap_type_of(const struct heap *h, uint32_t node)
{
    return graph_type_of(&h->graph, node);
}

/* For what else is as large as the graph. */
static inline struct big_memory *heap_memory(const struct heap *h)
{
    return h->graph.lists.size.memory;
}

/* Bytes of an array with a bit for each node (graph_bit). */
static inline size_t heap_bits_size(const struct heap *h)
{
    return ((size_t)h->objects / 64 + 1) * sizeof(uint64_t);
}

/* Elements of an array; 0 for what is none. */
static inline uint32_t heap_length_of(const struct heap *h, uint32_t node)
{
    struct edge_cursor c = edge_lists_of(&h->graph.lists, node);

    return h->graph_types[heap_type_of(h, node)].number && edge_cursor_more(&c) ? (uint32_t)edge_cursor_number(&c) : 0;
}

/* The references of an object, to others and to its class if that is no GC root; repeated ones may be left out. */
struct heap_edges {
    uint32_t target; /* a node */
    bool weak;       /* the referent of a weak, soft, phantom or final reference */
    bool weak_first;
    struct edge_cursor cursor;
    uint32_t also; /* to come at last; HEAP_NONE */
};

struct heap_edges heap_edges_of(const struct heap *h, uint32_t node);
bool heap_edges_next(struct heap_edges *edges);

/* The records of a part of the dump will not be needed for a while. */
static inline void heap_release(const struct heap *h, const void *data, size_t size)
{
    if (h->release)
        h->release(data, size);
}

/* All roots, classes and objects once more; several threads may do it at once. 0, or what an event returned. */
int heap_walk(const struct heap *h, const struct heap_events *events);

/* Shallow bytes of an object. */
uint64_t heap_size(const struct heap *h, uint32_t node);

/* A text by its id; "" if it is not there. */
struct heap_text heap_text_of(const struct heap *h, uint64_t id);

/* Whether the type or one of its superclasses has this name. */
bool heap_is_a(const struct heap *h, uint32_t type, const char *name);

/* heap_sizes.c: sets reference_bytes, header_bytes, and each type's size and bytes. */
void heap_measure(struct heap *h);

/* heap_types.c: names, superclasses and places of references, once all classes were read. */
int heap_resolve_types(struct heap *h);
/* Gives each type a name that has none. 0 or -ENOMEM. */
int heap_name_types(struct heap *h);
/* The number of the type; makes one if the class is not known. HEAP_NONE without memory. */
uint32_t heap_type_for(struct heap *h, uint64_t class_id);
