/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The records of a whole heap dump in memory (a mapped file), one after the other. Formats: JDK
 * src/hotspot/share/services/heapDumper.cpp (1.0.1, 1.0.2), Android's art/runtime/hprof/hprof.cc (1.0.3). Stores
 * nothing; a dump that is cut short gives what there is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum heap_type { /* of fields and of array elements */
                 HEAP_OBJECT = 2,
                 HEAP_BOOLEAN = 4,
                 HEAP_CHAR,
                 HEAP_FLOAT,
                 HEAP_DOUBLE,
                 HEAP_BYTE,
                 HEAP_SHORT,
                 HEAP_INT,
                 HEAP_LONG,
                 HEAP_TYPE_END
};

enum heap_root { /* the tags of the format */
                 HEAP_ROOT_UNKNOWN = 0xFF,
                 HEAP_ROOT_JNI_GLOBAL = 0x01,
                 HEAP_ROOT_JNI_LOCAL = 0x02,
                 HEAP_ROOT_JAVA_FRAME = 0x03,
                 HEAP_ROOT_NATIVE_STACK = 0x04,
                 HEAP_ROOT_STICKY_CLASS = 0x05,
                 HEAP_ROOT_THREAD_BLOCK = 0x06,
                 HEAP_ROOT_MONITOR = 0x07,
                 HEAP_ROOT_THREAD = 0x08,
                 HEAP_ROOT_OTHER = 0x89 /* Android's */
};

/* One object. data points into the dump. */
struct heap_instance {
    uint64_t id, class_id;
    const unsigned char *data; /* the fields: the object's class's first, then its superclass's … */
    uint32_t size;             /* bytes of data */
};

struct heap_array {
    uint64_t id, class_id; /* class_id: 0 for primitive elements */
    const unsigned char *data;
    uint32_t length;    /* elements */
    unsigned char type; /* enum heap_type of the elements */
};

struct heap_class {
    uint64_t id, super, loader;
    const unsigned char *holders; /* signers, protection domain: two ids */
    const unsigned char *statics; /* static_count times: name (id), type (u1), value */
    const unsigned char *fields;  /* field_count times: name (id), type (u1) */
    uint16_t static_count, field_count;
    uint32_t instance_size; /* as the JVM says: bytes of data */
};

struct heap_root_record {
    uint64_t id;
    uint32_t thread; /* serial number; 0: none */
    uint32_t frame;  /* JAVA_FRAME, JNI_LOCAL: in the thread's trace; of a THREAD: its trace's serial number */
    unsigned char kind;
};

struct heap_frame {
    uint64_t id, method, signature, source; /* ids of texts */
    uint32_t class_serial;
    int32_t line; /* > 0 a line; -1 unknown, -2 compiled, -3 native */
};

struct heap_trace {
    uint32_t serial, thread;
    const unsigned char *frames; /* ids of frames, the top first */
    uint32_t count;
};

/* Each may be NULL. A negative return ends the walk with it. */
struct heap_events {
    void *ctx;
    int (*text)(void *ctx, uint64_t id, const char *text, size_t size); /* a name; not NUL-terminated */
    int (*load_class)(void *ctx, uint32_t serial, uint64_t id, uint64_t name);
    int (*frame)(void *ctx, const struct heap_frame *frame);
    int (*trace)(void *ctx, const struct heap_trace *trace);
    int (*root)(void *ctx, const struct heap_root_record *root);
    int (*class)(void *ctx, const struct heap_class *c);
    int (*instance)(void *ctx, const struct heap_instance *o);
    int (*array)(void *ctx, const struct heap_array *a);
    /* The bytes of a heap dump or a segment of it, instead of the records in it. */
    int (*segment)(void *ctx, const unsigned char *from, const unsigned char *end);
    /* A dump is whole: the hprof agent writes several into a file. It is a HEAP DUMP, or segments up to HEAP DUMP END.
     */
    int (*dump_end)(void *ctx);
    /* The objects that follow, up to the end of the segment, are in this heap of Android's. */
    int (*heap)(void *ctx, uint32_t heap, uint64_t name);
};

/* Records of a segment, so that it can be read by parts. */
struct heap_part {
    const unsigned char *from; /* where a record begins */
    const unsigned char *to;   /* until the first record that begins here or later; becomes where that is */
    const unsigned char *end;  /* of the segment, or of the records */
    const char *cut;           /* as the reader's */
};

struct heap_reader {
    const unsigned char *data;
    size_t size;
    unsigned id_size; /* 4 or 8 */
    int64_t time_ms;
    const char *cut; /* why the walk ended before the end of a whole dump; NULL: it did not. Static text */
};

/* Reads the header. -EBADMSG: no heap dump. */
int heap_reader_init(struct heap_reader *r, const void *data, size_t size);

/* All records. 0, or what an event returned. Sets r->cut. */
int heap_reader_walk(struct heap_reader *r, const struct heap_events *events);

/* The records of one part: roots, classes, objects. 0, or what an event returned. */
int heap_reader_walk_part(const struct heap_reader *r, struct heap_part *part, const struct heap_events *events);

/* A big-endian id of r->id_size bytes. */
uint64_t heap_id(const struct heap_reader *r, const unsigned char *p);

/* Bytes of a value of this type; 0 for what is no type. */
unsigned heap_type_size(const struct heap_reader *r, unsigned type);

/* One record within a heap, with its tag: its size, 0 if it is not whole in `size` bytes or unknown. *ret_error: what
 * an event returned. For those who have pieces of a dump: data and size of r are not used. */
size_t heap_reader_object(struct heap_reader *r, const unsigned char *p, size_t size, const struct heap_events *events,
                          int *ret_error);

/* One whole record outside of heaps, with its tag and length. 0, or what an event returned. */
int heap_reader_record(struct heap_reader *r, const unsigned char *p, size_t size, const struct heap_events *events);
