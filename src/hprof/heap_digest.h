/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The answer of a histogram (hprof/histogram_stream.h): a sentence, the classes with most bytes, and all
 * of it as JSON (salvage.digest/1, docs/digest.md).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/summary.h"
#include "hprof/histogram_stream.h"

enum { HEAP_DIGEST_MAX = 4 * 1024 * 1024 /* bytes of JSON */, DIGEST_STATICS_MAX = 50 };

/* The dump, to be read again in places. */
struct heap_digest_source {
    /* As pread(2): bytes, 0 at the end, negative. */
    ssize_t (*read)(void *ctx, void *to, size_t size, uint64_t offset);
    void *ctx;
};

/* A thread of the digest. */
struct digest_thread {
    uint64_t id;
    uint32_t serial;
    const struct histogram_trace *trace; /* NULL: none */
    bool out_of_memory;
    char *name; /* UTF-8; NULL: unknown. Owned */
};

struct digest_row {
    uint32_t class;
    bool measured; /* its size is from distances, not from the formula */
    uint64_t bytes;
};

struct heap_digest {
    struct histogram_stream *s; /* borrowed */
    struct object_layout layout;
    struct digest_row *rows; /* of classes that have objects, the most bytes first */
    size_t row_count;
    struct static_row *statics; /* classes with statics that refer to large arrays */
    size_t static_count;
    uint64_t bytes;                /* of all objects */
    struct digest_thread *threads; /* the one that ran out of memory first, then in the order of the dump */
    size_t thread_count;
    uint32_t *class_of_serial; /* UINT32_MAX: none */
    size_t serials;
};

/* s: at its end. source: NULL where the dump can't be read again; then threads have no names. 0, -ENOMEM. */
int heap_digest_make(struct heap_digest *d, struct histogram_stream *s, const struct heap_digest_source *source);
void heap_digest_done(struct heap_digest *d);

void heap_digest_summary(const struct heap_digest *d, struct summary *ret);

/* partial: why the dump is not whole, as far as the caller knows; NULL. 0 or -ENOMEM; what does not fit into
 * HEAP_DIGEST_MAX is left out, and counted. */
int heap_digest_json(const struct heap_digest *d, const struct summary *summary, const char *partial, struct buf *ret);

/* --- between its files --- */

/* "java.util.HashMap", "byte[]", "class at 0x7f…"; returns out. */
enum { DIGEST_NAME_MAX = 512 };
const char *heap_digest_class_name(const struct heap_digest *d, uint32_t class, char out[DIGEST_NAME_MAX]);
/* The number of a class by its name as in the dump ("java/lang/Thread"); UINT32_MAX. */
uint32_t heap_digest_find_class(const struct heap_digest *d, const char *name);
/* "com.shop.Cart.add(Cart.java:61)"; returns out. */
enum { DIGEST_FRAME_MAX = 1200 };
const char *heap_digest_frame(const struct heap_digest *d, uint32_t frame, char out[DIGEST_FRAME_MAX]);
/* Reads the texts of these ids from the dump, as far as they are not there; sorts ids. 0 or -ENOMEM. */
int heap_digest_read_texts(struct heap_digest *d, const struct heap_digest_source *source, uint64_t *ids, size_t count);
/* heap_digest_names.c: names of threads. 0 or -ENOMEM. */
int heap_digest_name_threads(struct heap_digest *d, const struct heap_digest_source *source);
