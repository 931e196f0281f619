/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Everything that one pass over a heap dump shows, without an index of its objects: objects and bytes of
 * each class, threads and their stacks, the largest arrays, contents of small arrays that repeat. Bytes come in pieces
 * of any size; memory is bounded by the classes and frames of the dump, and by ceilings for both. Formats as in
 * hprof/heap_reader.h. A dump that is cut short gives what there is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hprof/heap_reader.h"
#include "hprof/id_map.h"
#include "hprof/object_layout.h"
#include "hprof/repeats.h"
#include "hprof/static_arrays.h"

enum {
    HISTOGRAM_WINDOW = 1024 * 1024, /* a record without the content of its arrays and objects is never larger */
    HISTOGRAM_CLASSES_MAX = 1 << 18,
    HISTOGRAM_FRAMES_MAX = 1 << 15,
    HISTOGRAM_THREADS_MAX = 1 << 12,
    HISTOGRAM_ARRAYS_MAX = 10,       /* the largest */
    HISTOGRAM_REGIONS_MAX = 2048,    /* where in the dump which ids are */
    HISTOGRAM_NAMES_BYTES = 4 << 20, /* of texts that are kept, without their map */
};

struct histogram_class {
    uint64_t id;      /* 0: of arrays with primitive elements */
    uint64_t super;   /* id */
    uint64_t name_id; /* of its name's text; 0: unknown */
    uint64_t offset;  /* of its CLASS DUMP in the dump; 0: there is none */
    uint64_t count;
    uint64_t elements;     /* of arrays: of all together */
    uint32_t rests[8];     /* of arrays: how many have a length of so much modulo 8 (they are aligned); it saturates */
    uint32_t own_data;     /* of its own fields: bytes in the dump */
    uint32_t own_refs;     /* … of which are references */
    uint32_t serial;       /* by which frames name it; 0: none */
    uint32_t least_gap;    /* from an instance to the next object; UINT32_MAX: unknown */
    unsigned char element; /* of an array: enum heap_type; 0: no array */
};

struct histogram_array {
    uint64_t id, bytes; /* of its elements, in the dump */
    uint32_t class, length, trace;
};

struct histogram_thread {
    uint64_t id;
    uint32_t serial, trace;
};

struct histogram_trace {
    uint32_t serial, thread;
    uint32_t first, count; /* frames, the top first */
};

/* A stretch of the dump that begins with an object's record. */
struct histogram_region {
    uint64_t offset, size;
    uint64_t least, most; /* ids of its objects */
};

struct histogram_text {
    uint32_t at, size; /* in names */
};

struct histogram_stream {
    struct heap_reader format; /* id_size and time of the header */
    uint64_t offset;           /* of what is parsed, from the beginning of the dump */
    uint64_t record;           /* offset of the record that is being read, if it is no object */
    const char *cut;           /* why not all of it is in the histogram; NULL: it is. Static text */
    uint64_t objects, classes_dumped;
    unsigned dumps; /* heap dumps in the file; the last one is read */

    struct histogram_class *classes;
    size_t class_count, class_capacity;
    struct id_map class_of_id;
    uint32_t primitive[HEAP_TYPE_END];
    struct layout_evidence evidence;

    struct heap_frame *frames; /* in the order of the dump */
    size_t frame_count, frame_capacity, frames_left_out;
    struct histogram_trace *traces;
    size_t trace_count, trace_capacity;
    uint32_t *trace_frames; /* numbers of frames */
    size_t trace_frame_count, trace_frame_capacity;
    struct histogram_thread *threads;
    size_t thread_count, thread_capacity;

    struct histogram_array largest[HISTOGRAM_ARRAYS_MAX + 1]; /* the largest first */
    unsigned largest_count;
    struct repeats *repeats; /* contents of small arrays */
    struct static_arrays *statics;
    uint64_t small_arrays, small_bytes;

    struct histogram_region *regions;
    size_t region_count;
    uint64_t region_size;

    /* Names: with keep_names all that could be one, else those of `wanted` (sorted) in a second reading. */
    bool keep_names;
    const uint64_t *wanted;
    size_t wanted_count;
    uint64_t texts_from, texts_to; /* where in the dump they are */
    bool names_left_out;
    char *names;
    size_t name_bytes, name_capacity;
    struct histogram_text *texts;
    size_t text_count, text_capacity;
    struct id_map text_of_id;

    struct histogram_walk *walk; /* where it is: histogram_stream.c */
};

/* keep_names: for a stream, which can't be read again. -ENOMEM. */
int histogram_stream_new(bool keep_names, struct histogram_stream **ret);
void histogram_stream_free(struct histogram_stream *s);

/* Where the dump's next bytes go, at s->offset plus what is there already; *ret_size is never 0. */
void *histogram_stream_space(struct histogram_stream *s, size_t *ret_size);

/* The next `size` bytes are there. 0; -EBADMSG: no heap dump; -E2BIG: a ceiling; -ENOMEM. */
int histogram_stream_filled(struct histogram_stream *s, size_t size);

/* Where the next byte is that has to be read: what lies before it is not looked at. The bytes up to `most` may be left
 * out then. */
uint64_t histogram_stream_skip(struct histogram_stream *s, uint64_t most);

/* The same for pieces that are in memory. */
int histogram_stream_feed(struct histogram_stream *s, const void *data, size_t size);

/* No more bytes come. */
void histogram_stream_end(struct histogram_stream *s);

/* The records before the heap, once more, for the names in s->wanted: pieces of [texts_from, texts_to), in order. */
int histogram_stream_read_names(struct histogram_stream *s, const void *data, size_t size);
/* How many bytes behind that piece may be left out. To be asked after each. */
uint64_t histogram_stream_names_skip(struct histogram_stream *s);
void histogram_stream_names_end(struct histogram_stream *s);

/* --- between the files of the histogram --- */

/* The number of a class; makes one. UINT32_MAX without memory or beyond the ceiling. */
uint32_t histogram_class_of(struct histogram_stream *s, uint64_t id);

/* histogram_records.c: events for records that are no objects. */
int histogram_on_text(void *ctx, uint64_t id, const char *text, size_t size);
int histogram_on_load_class(void *ctx, uint32_t serial, uint64_t id, uint64_t name);
int histogram_on_frame(void *ctx, const struct heap_frame *frame);
int histogram_on_trace(void *ctx, const struct heap_trace *trace);
int histogram_on_root(void *ctx, const struct heap_root_record *root);
int histogram_on_class(void *ctx, const struct heap_class *c);

/* A text that was kept; "" if it was not. */
struct heap_text_piece {
    const char *text;
    uint32_t size;
};
struct heap_text_piece histogram_text_of(const struct histogram_stream *s, uint64_t id);
