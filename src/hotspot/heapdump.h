/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a JVM write a heap dump into one of its folders that has room for it. The caller moves the dump from there. A
 * JVM can't be stopped once it was asked: it goes on writing even if the file is no longer wanted.
 *
 * JVMs up to 21 write the file itself; JDK 22 and newer write segments NAME.p0 … first and copy them into NAME
 * (DumpMerger in heapDumper.cpp), which needs twice the room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "hotspot/attach.h"
#include "hotspot/dumpfolder.h"
#include "linux/pause.h"

enum { HEAPDUMP_NAME_MAX = 80 };

/* "java_pid7-20261121T015605Z.hprof": the JVM's default name made unique by the time; into out, which it returns. */
const char *heapdump_name(const struct jvm *j, bool gzip, char out[HEAPDUMP_NAME_MAX]);

struct heapdump_request {
    const char *folder; /* a path in the JVM's mount namespace; NULL: that of HeapDumpPath, else its working folder,
                           else its /tmp */
    const char *name;   /* of the file, in that folder; NULL: in a new hidden folder, which a watch ignores */
    bool live;          /* reachable objects only: the JVM does a full collection first */
    uint64_t gzip;      /* compression level, JDK 15 and newer; 0: not compressed */
    uint64_t threads;   /* threads of the JVM that write, JDK 22 and newer; 0: the JVM's choice */
    uint64_t in_use;    /* bytes of heap in use; 0 unknown: then room is not checked */
    bool force;         /* do not check for room */
    struct attach_wait wait;
    void (*progress)(void *ctx, uint64_t written, uint64_t expected); /* bytes; NULL: none */
    void *ctx;
};

/* A dump in a folder of the JVM. */
struct heapdump {
    int folder;            /* of the JVM, where heapdump_leave puts the dump; owned; -1: none */
    struct dumpfolder own; /* the hidden folder in it; without one the dump lies in `folder` */
    char *name;            /* the file's name */
    char *inner;           /* its path as the JVM sees it */
    char *outer;           /* the folder's path in our mount namespace, for messages */
    int fd;                /* open for reading: a regular file of the JVM's user; owned */
    char *cut;             /* why the dump is incomplete, the JVM's message; NULL: it is complete */
    struct pause pause;    /* how long the JVM stood still */
};

#define HEAPDUMP_NONE                                                                                                  \
    {                                                                                                                  \
        .folder = -1, .own = DUMPFOLDER_NONE, .fd = -1                                                                 \
    }

/* The most that a dump of a heap with so many bytes in use may take: a dump has larger object headers, and references
 * are never compressed in it. Measured: 1.4 to 1.75 times for small linked objects, 1.0 for arrays of numbers. */
uint64_t heapdump_estimate(uint64_t in_use);

/* 0: the dump exists, perhaps incomplete (ret->cut). -ENOSPC with the numbers: no room; -EACCES: no folder that the JVM
 * may write to; -EPROTO with the JVM's message; or as attach_ask. On failure nothing is left behind. */
int heapdump_make(const struct jvm *j, const struct heapdump_request *rq, struct heapdump *ret, struct err *e);

/* Whether the JVM's GC.heap_dump has an option ("-overwrite"): 1, 0, or as attach_ask. */
int heapdump_knows(const struct jvm *j, const char *option, const struct attach_wait *wait, struct err *e);

/* Moves the dump out of its hidden folder to a new name in a folder, and removes the hidden folder. -EEXIST; -EXDEV:
 * another file system, or the dump was exchanged for another file; other -errno. */
int heapdump_move(struct heapdump *d, int folder, const char *name);

/* Leaves the dump in the JVM's folder as heapdump_name, where a watch finds it. *ret: its path in our mount namespace,
 * or if that is unknown in the JVM's; malloc'ed. */
int heapdump_leave(struct heapdump *d, const struct jvm *j, bool gzip, char **ret);

/* Removes the file, the JVM's segments, and the hidden folder. */
void heapdump_remove(struct heapdump *d);
void heapdump_done(struct heapdump *d);
