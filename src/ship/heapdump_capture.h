/* SPDX-License-Identifier: Apache-2.0
 *
 * Heap dumps from JVMs: made in the JVM's own folders, then moved to a file of the caller or shipped; or streamed. Used
 * by `jvm dump`, `jvm prestop` and guard.
 */
#pragma once

#include "hotspot/heapdump.h"
#include "ship/shipping.h"

struct dump_options {
    bool live, force;
    uint64_t parallel, gzip;
    const char *folder;       /* as the JVM sees it; NULL: chosen here */
    uint64_t timeout_ms;      /* for how long the JVM may be silent */
    struct dumped *made;      /* dump_to_store: receives size and times, without `cut`; may be NULL */
    uint64_t until_ms;        /* monotonic; the process ends then (FAULT_LATER), and a whole dump stays; 0: no limit */
    void (*taken)(void *ctx); /* dump_to_store: the dump is made, and the JVM is no longer needed; may be NULL */
    void *ctx;
};

/* A dump that was made. */
struct dumped {
    uint64_t size;    /* bytes */
    uint64_t took_ms; /* until the JVM had answered */
    struct pause pause;
    char *cut; /* why it is not whole; NULL: it is; owned */
};

/* Into a file that is not there yet (ship/new_file.h). A dump that can't be moved there stays in the JVM's folder, as
 * with dump_to_store. */
int dump_to_file(const struct jvm *j, const struct dump_options *o, const char *path, struct dumped *ret,
                 struct err *e);
void dumped_done(struct dumped *d);

/* Into the store. The local file is erased; with the plan's keep it stays in the JVM's folder. It stays there also if
 * it can't be shipped, or if a signal or until_ms ends the upload: under a name that a watch finds, which the error
 * gives. A dump that is not whole is shipped, and then -FAULT_SOME. */
int dump_to_store(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e);

/* Streams the dump into the store, without a local file. Uses live, timeout_ms and until_ms. */
int dump_by_stream(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e);

/* A diagnostic command for a JVM. */
struct jvm_request {
    const struct jvm *jvm;
    const char *diagnostic; /* "Thread.print -l" */
    uint64_t timeout_ms;    /* for how long the JVM may be silent */
    uint64_t answer_max;    /* bytes (it is held in memory); 0: 64 MiB */
    uint64_t until_ms;      /* monotonic; it is given up then (FAULT_LATER); 0: no limit */
};

/* Appends the answer to a file. */
int answer_to_file(const struct jvm_request *q, int fd, struct pause *ret, struct err *e);

/* Ships the answer as evidence of that name. */
int answer_to_store(const struct jvm_request *q, const char *name, struct shipping *s, struct err *e);

/* Begins a new case for the evidence that is shipped from now on. */
int dump_begin_case(const struct jvm *j, const struct shipping *s, struct shipping_case *ret);
