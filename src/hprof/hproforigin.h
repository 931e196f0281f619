/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Whether HotSpot wrote a heap dump at an OutOfMemoryError or because it was asked to, by what stands in
 * front of the objects. Foreign bytes: keeps a few numbers, never allocates. At an OutOfMemoryError the JVM (7 and
 * newer) puts a frame of java.lang.OutOfMemoryError.<init>()V on top of the thread that met it (VM_HeapDumper in
 * heapDumper.cpp). All texts come first, then the classes, then each thread's frames and its trace.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hproforigin_answer {
    HPROFORIGIN_OPEN,    /* not yet known */
    HPROFORIGIN_OOM,     /* made at an OutOfMemoryError */
    HPROFORIGIN_ASKED,   /* HotSpot made it, and at no OutOfMemoryError */
    HPROFORIGIN_NOT_SAID /* of another writer, of an old JVM, or without its beginning */
};

struct hproforigin {
    enum hproforigin_answer answer;
    bool header;   /* was read */
    uint64_t skip; /* bytes that say nothing */
    unsigned char head[48];
    unsigned head_size, wanted;
    unsigned id_size;
    unsigned char tag;
    uint32_t length;                /* of the record we are in, 0 outside */
    uint64_t init, signature, name; /* ids of "<init>", "()V" and the error's name; 0 not seen */
    uint32_t class_serial;          /* the error's; 0 not seen */
    uint64_t frame;                 /* the last one that is the error's constructor; 0 none */
    bool has_frames;                /* some thread's */
    bool modern;                    /* a JVM 7 or newer, by the names that it knows */
};

void hproforigin_init(struct hproforigin *h);

/* Nothing more is wanted once the answer is not HPROFORIGIN_OPEN. */
void hproforigin_feed(struct hproforigin *h, const void *data, size_t size);

/* Call at the end of the input, or to stop early. */
void hproforigin_end(struct hproforigin *h);
