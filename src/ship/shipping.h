/* SPDX-License-Identifier: Apache-2.0
 *
 * Ships one file or stream in the foreground, in this process: waits for the file's writer and for the store, shows
 * progress on stderr, prints the object's URL on stdout. For commands that ship; a watch ships through
 * watch/worker_pool.h.
 */
#pragma once

#include "ship/job.h"
#include "ship/plan.h"

/* Several pieces of evidence of one incident: all get time and id of the first one, and so lie in one folder of the
 * store. Their names must differ. */
struct shipping_case {
    char id[IDENTITY_MAX]; /* "" before the first */
    int64_t time_ns;
};

/* What was stored of one file. */
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
    bool cause_is_guess;       /* a cause in the evidence counts more */
    bool json;                 /* the manifest on stdout, not the URL */
    uint64_t pid;              /* of the process that the evidence is about; 0 unknown */
    uint64_t uid;              /* its user, for shipping_open_file: a file that we wrote has our uid */
    const char *jvm, *command; /* of that process; NULL: unknown */
    const char *detail;        /* the cause in words: "SIGSEGV (11)"; NULL: as the evidence says */
    const char *sensitive;     /* why the evidence needs more care than others; NULL: it does not */
    struct pause pause;        /* how long it stood still for the file */
    bool sentence;             /* print a whole sentence to stdout: it goes into the application's log */
    bool logs;                 /* print nothing to stdout, log events */
    /* A file was stored, or was there already. NULL: nothing. */
    void (*stored)(void *ctx, const struct manifest *m);
    void *stored_ctx;
    struct shipped *shipped;           /* set for each file that was shipped; may be NULL */
    struct shipping_case *shared_case; /* of all evidence that is shipped; NULL: each piece begins a case */
};

/* Whether the store takes evidence (ship/preflight.h): called before a process is stopped for it. Opens the sink, and
 * leaves nothing in the store. patience_ms: for how long a fault that may pass is tried again. */
int shipping_try_store(struct shipping *s, uint64_t patience_ms, struct err *e);

enum { SHIPPING_TRY_MS = 3000 }; /* patience_ms where a user waits */

/* Ships the file, then erases it unless the plan says to keep it. */
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

/* A pipe, or a FIFO, which may have been opened (O_NONBLOCK) before its writer opened it. It can be read only once. */
struct shipping_stream {
    int fd;             /* taken; closed as soon as nothing more is read, so that the writer gets EPIPE and goes on */
    const char *name;   /* a file name: decides kind and key */
    int64_t started_ns; /* start of the process that the evidence is about; 0 unknown */
    uint64_t uid;       /* that process's */
    uint64_t buffer;    /* bytes of memory to read ahead into, beside --memory; 0: none */
    uint64_t expected_size; /* an estimate, for the progress bar and the size of parts; 0 unknown */

    /* Each may be NULL; see struct job (ship/job.h). */
    int (*stop)(void *ctx, struct err *e);
    int (*ended)(void *ctx, struct err *e);
    const char *(*partial)(void *ctx);
    void (*pause)(void *ctx, struct pause *ret);
    void *ctx;
};

/* Ships without using a disk. Only the sink tries again, part by part: what was read is gone, so after a failure the
 * store is asked to drop the upload, and the writer has to begin again. Ends when the writer has been silent for
 * --give-up. -EINTR after a signal (linux/interrupt.h). ret may be NULL. */
int shipping_stream(struct shipping *s, const struct shipping_stream *stream, struct manifest *ret, struct err *e);
