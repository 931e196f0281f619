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
    struct dumped *made; /* dump_to_store: receives size and times, without `cut`; may be NULL */
    uint64_t until_ms;   /* monotonic; the process ends then (FAULT_LATER), and a whole dump stays; 0: no limit */
};

/* A dump in a file of the caller's. */
struct dumped {
    uint64_t size;    /* bytes */
    uint64_t took_ms; /* until the JVM was done */
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

/* The same without a file. Uses live and timeout_ms. */
int dump_by_stream(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e);

/* What a diagnostic command answers, appended to a file. Uses timeout_ms and until_ms. */
int answer_to_file(const struct jvm *j, const char *diagnostic, int fd, const struct dump_options *o, struct pause *ret,
                   struct err *e);

/* What a diagnostic command answers, as a piece of evidence of that name. Uses timeout_ms and until_ms. */
int answer_to_store(const struct jvm *j, const char *diagnostic, const char *name, const struct dump_options *o,
                    struct shipping *s, struct err *e);

/* A new case for what is shipped from now on. */
int dump_begin_case(const struct jvm *j, const struct shipping *s, struct shipping_case *ret);
