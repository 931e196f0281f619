/* SPDX-License-Identifier: Apache-2.0
 *
 * Has a JVM write a heap dump, into a folder of its own that has room for it. Where the dump goes from there is the
 * caller's business. A JVM that was asked can't be stopped: it writes on, though the file is no longer wanted.
 *
 * While it is written a JVM up to 21 has the file alone; 22 and newer write NAME.p0 … first and copy them into NAME
 * (DumpMerger in heapDumper.cpp), so that twice the room is needed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "hotspot/attach.h"
#include "hotspot/dumpfolder.h"
#include "linux/pause.h"

enum { HEAPDUMP_NAME_MAX = 80 };

/* "java_pid7-20261121T015605Z.hprof": as the JVM itself would call it, and never twice; into out, which it returns. */
const char *heapdump_name(const struct jvm *j, bool gzip, char out[HEAPDUMP_NAME_MAX]);

struct heapdump_request {
    const char *folder; /* as the JVM sees it; NULL: where HeapDumpPath leads, else its working folder, else its /tmp */
    const char *name; /* of the file, in that folder; NULL: in a hidden folder of its own, which no watch looks into */
    bool live;        /* only what is reachable: a full collection first */
    uint64_t gzip;    /* level, JDK 15 and newer; 0: not compressed */
    uint64_t threads; /* that write, JDK 22 and newer; 0: the JVM's choice */
    uint64_t in_use;  /* of the heap, bytes; 0 unknown: then room is not looked at */
    bool force;       /* whether there is room or not */
    struct attach_wait wait;
    void (*progress)(void *ctx, uint64_t written, uint64_t expected); /* bytes; NULL: none */
    void *ctx;
};

/* A dump that lies there. */
struct heapdump {
    int folder;            /* of the JVM's, where it stays if it has to; owned; -1: there is none */
    struct dumpfolder own; /* in there; without one the file lies in the folder itself */
    char *name;            /* of the file */
    char *inner;           /* its path as the JVM sees it */
    char *outer;           /* the folder's path as we see it; for people */
    int fd;                /* for reading: a regular file of the JVM's user; owned */
    char *cut;             /* why it is not whole, the JVM's words; NULL: it is */
    struct pause pause;    /* that the JVM made for it */
};

#define HEAPDUMP_NONE                                                                                                  \
    {                                                                                                                  \
        .folder = -1, .own = DUMPFOLDER_NONE, .fd = -1                                                                 \
    }

/* What a dump of a heap with so many bytes in use may come to: objects have larger heads in a dump, and references are
 * never compressed there. Small objects that point to each other were measured at 1.4 to 1.75 times, arrays of numbers
 * at 1.0. */
uint64_t heapdump_estimate(uint64_t in_use);

/* 0: it lies there, perhaps cut off (ret->cut). -ENOSPC with the numbers: no room; -EACCES: no folder that the JVM may
 * write to; -EPROTO: the JVM's own reason; or as attach_ask, and then nothing is left behind. */
int heapdump_make(const struct jvm *j, const struct heapdump_request *rq, struct heapdump *ret, struct err *e);

/* Whether the JVM knows an option ("-overwrite") of GC.heap_dump: 1, 0, or as attach_ask. */
int heapdump_knows(const struct jvm *j, const char *option, const struct attach_wait *wait, struct err *e);

/* Moves it out of its hidden folder: to a name in a folder that must not be there yet. -EEXIST; -EXDEV where it is
 * another file system, or another file was put in its place; -errno. */
int heapdump_move(struct heapdump *d, int folder, const char *name);

/* Has it stay in the JVM's folder, as heapdump_name, where a watch takes it for evidence. *ret: its path as we see it,
 * or where that is not known as the JVM does; malloc'ed. */
int heapdump_leave(struct heapdump *d, const struct jvm *j, bool gzip, char **ret);

/* Removes the file, and what the JVM may have written beside it. */
void heapdump_remove(struct heapdump *d);
void heapdump_done(struct heapdump *d);
