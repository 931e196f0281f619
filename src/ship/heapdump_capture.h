/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap dump from a JVM to where it is wanted: made in the JVM's own folders, then moved to a file of the caller's or
 * shipped; or streamed. Shared by `jvm dump` and `jvm prestop`.
 */
#pragma once

#include "hotspot/heapdump.h"
#include "ship/shipping.h"

struct dump_options {
    bool live, force;
    uint64_t parallel, gzip;
    const char *folder;  /* as the JVM sees it; NULL: found */
    uint64_t timeout_ms; /* of silence, the JVM's */
    uint64_t most;       /* bytes of a diagnostic command's answer, which is held in memory; 0: 64 MiB */
    struct dumped *made; /* dump_to_store: receives what was made, without `cut`; may be NULL */
    uint64_t until_ms; /* monotonic; 0: as long as it takes. Then the process ends (FAULT_LATER), a whole dump stays */
};

/* A dump in a file of the caller's. */
struct dumped {
    uint64_t size;    /* bytes */
    uint64_t took_ms; /* until the JVM was done */
    struct pause pause;
    char *cut; /* why it is not whole; NULL: it is; owned */
};

/* Into a file that is not there yet, for the caller alone. One that can't be put there stays in the JVM's folder, as
 * with dump_to_store. */
int dump_to_file(const struct jvm *j, const struct dump_options *o, const char *path, struct dumped *ret,
                 struct err *e);
void dumped_done(struct dumped *d);

/* Into the store. The local file is erased, or with the plan's keep stays in the JVM's folder. A dump that can't be
 * shipped, or was stopped by a signal or the end of the time on its way, stays there too, under a name that a watch
 * finds, and the error says where. A dump that is not whole is shipped, and then -FAULT_SOME. */
int dump_to_store(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e);

/* The same without a file. Uses live and timeout_ms. */
int dump_by_stream(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e);

/* What a diagnostic command answers, appended to a file. Uses timeout_ms and until_ms. */
int answer_to_file(const struct jvm *j, const char *diagnostic, int fd, const struct dump_options *o, struct pause *ret,
                   struct err *e);

/* What a diagnostic command answers, as a piece of evidence of that name. Uses timeout_ms and until_ms. */
int answer_to_store(const struct jvm *j, const char *diagnostic, const char *name, const struct dump_options *o,
                    struct shipping *s, struct err *e);

/* Sets the owner of the evidence that is shipped from now on: a JVM of another pod or host (on a node) names its own in
 * its environment; so does one of our own pod where we were not given its names (a debug container). What metadata
 * services know of us is not said of it then. its: owned by the caller, and lives as long as s is used. */
void dump_whose(const struct jvm *j, struct shipping *s, struct whoami *its);
void dump_whose_process(const struct proc *p, struct shipping *s, struct whoami *its);

/* A new case for what is shipped from now on. */
int dump_begin_case(const struct jvm *j, const struct shipping *s, struct shipping_case *ret);
