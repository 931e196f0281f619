/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Whether HotSpot wrote a heap dump at an OutOfMemoryError or on request, by the records before the
 * objects. Stores a few numbers, never allocates. At an OutOfMemoryError the JVM (7 and newer) puts a frame of
 * java.lang.OutOfMemoryError.<init>()V on top of the thread that met it (VM_HeapDumper in heapDumper.cpp). All texts
 * come first, then the classes, then each thread's frames and its trace.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hproforigin_answer {
    HPROFORIGIN_UNDECIDED, /* not yet known */
    HPROFORIGIN_OOM,       /* made at an OutOfMemoryError */
    HPROFORIGIN_REQUESTED, /* HotSpot made it on request */
    HPROFORIGIN_UNKNOWN    /* by another writer or an old JVM, or the beginning is missing */
};

struct hproforigin {
    enum hproforigin_answer answer;
    bool header;   /* was read */
    uint64_t skip; /* bytes to skip */
    unsigned char head[48];
    unsigned head_size, wanted;
    unsigned id_size;
    unsigned char tag;
    uint32_t length;                /* of the current record, 0 outside */
    uint64_t init, signature, name; /* ids of "<init>", "()V" and the error's name; 0 not seen */
    uint32_t class_serial;          /* the error's; 0 not seen */
    uint64_t frame;                 /* id of the last frame in the error's constructor; 0 none */
    bool has_frames;                /* some thread has frames */
    bool modern;                    /* a JVM 7 or newer, by the class names in it */
};

void hproforigin_init(struct hproforigin *h);

/* No more bytes are needed once the answer is not HPROFORIGIN_UNDECIDED. */
void hproforigin_feed(struct hproforigin *h, const void *data, size_t size);

/* Call at the end of the input, or to stop early. */
void hproforigin_end(struct hproforigin *h);
