/* SPDX-License-Identifier: Apache-2.0
 *
 * Ships one file or stream in the foreground, in this process: waits for its writer and for the store, reports
 * progress on stderr and the object on stdout. For commands that ship; a watch ships through watch/worker_pool.h.
 */
#pragma once

#include "ship/job.h"
#include "ship/plan.h"

/* Several pieces of evidence of one incident: the first one's time and id are the others', too, so that they lie in one
 * folder of the store. Their names must differ. */
struct shipping_case {
    char id[IDENTITY_MAX]; /* "" before the first */
    int64_t time_ns;
};

/* What the store has of one file. */
struct shipped {
    uint64_t size; /* of the file, bytes */
    bool partial;  /* it is not whole */
};

/* The same for all files of one command. */
struct shipping {
    const struct plan *plan;
    const struct whoami *who;
    const struct facts *facts;
    struct sink *sink; /* opened when first needed; the caller closes it */
    const char *state; /* --state; NULL: beside the file */
    const char *cause;
    bool cause_is_guess;            /* the evidence's own cause counts more */
    bool json;                      /* the manifest on stdout, not the URL */
    uint64_t pid;                   /* of the process that the evidence is of; 0 unknown */
    uint64_t uid;                   /* its user, for shipping_open_file: a file that we wrote has our uid */
    const char *jvm, *command;      /* of that process; NULL unknown */
    struct pause pause;             /* how long it stood still for the file */
    bool sentence;                  /* on stdout a whole sentence: it goes into the application's log */
    bool logs;                      /* nothing on stdout: events in the log */
    struct shipped *shipped;        /* receives what was shipped last; may be NULL */
    struct shipping_case *its_case; /* NULL: each piece is a case */
};

/* Whether the store takes evidence, asked before a process is stopped for it (ship/preflight.h): opens the sink, and
 * leaves nothing in the store. patience_ms: for what may pass by itself. */
int shipping_try_store(struct shipping *s, uint64_t patience_ms, struct err *e);

enum { SHIPPING_TRY_MS = 3000 }; /* of a person's patience */

/* Ships the file, and erases it unless the plan says to keep it. */
int shipping_file(struct shipping *s, const char *path, struct err *e);

/* A file that the caller has opened, and erases itself: another process could replace it under its path, or it has
 * none. */
struct open_file {
    int fd;           /* borrowed */
    int folder;       /* the file's, for the journal; borrowed; -1: no journal */
    const char *name; /* for kind and key */
    const char *path; /* for messages */
};
int shipping_open_file(struct shipping *s, const struct open_file *file, struct err *e);

/* What can be read once only: a pipe, or a FIFO that may have been opened (O_NONBLOCK) before its writer did. */
struct shipping_stream {
    int fd;             /* taken: closed as soon as nothing more is read, so that a writer meets EPIPE and goes on */
    const char *name;   /* as a file would be called: it decides on kind and key */
    int64_t started_ns; /* when the process began that it is of; 0 unknown */
    uint64_t uid;       /* that process's */
    uint64_t expected_size; /* a guess, for the bar and the size of parts; 0 */

    /* Each may be NULL. stop: asked several times a second while the stream is read; negative ends it. ended: the
     * stream has, and nothing of it can be seen yet; negative if its writer says that it has failed: it is not stored.
     */
    int (*stop)(void *ctx, struct err *e);
    int (*ended)(void *ctx, struct err *e);
    /* Behind its end: why it is not whole, for the manifest; NULL: it is. */
    const char *(*partial)(void *ctx);
    /* Also there: for how long the process stood still; untouched where it is not known. */
    void (*pause)(void *ctx, struct pause *ret);
    void *ctx;
};

/* Ships without touching a disk. There is one attempt: the sink tries again with a part, but what was read is gone, so
 * after a failure the store is asked to forget it, and only the writer can begin anew. A writer that says nothing for
 * as long as --give-up is given up. -EINTR once a signal was caught (linux/interrupt.h). ret may be NULL. */
int shipping_stream(struct shipping *s, const struct shipping_stream *stream, struct manifest *ret, struct err *e);
