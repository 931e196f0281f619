/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of faults: the number that functions return (negated, beyond the range of errno), the exit code, and
 * whether a retry can help. Messages are written where a fault occurs (base/err.h). docs/exit-codes.md is generated
 * from the table.
 */
#pragma once

#include <stdbool.h>

enum fault {
    FAULT_FIRST = 1000,
    FAULT_USAGE = FAULT_FIRST, /* an option or argument is wrong */
    FAULT_SCHEME,              /* store URL: unknown scheme */
    FAULT_NO_BUCKET_NAME,      /* store URL: no bucket in it */
    FAULT_TEMPLATE,            /* malformed key template */
    FAULT_FOLDER,              /* a folder to watch is missing or unreadable */
    FAULT_UNREADABLE,          /* this uid may not read the evidence */
    FAULT_CHANGED,             /* evidence was deleted or written to while being read */
    FAULT_STATE,               /* the state folder cannot be used */
    FAULT_LOCKED,              /* another salvage process works on the same thing */
    FAULT_DENIED,              /* the store refuses these credentials */
    FAULT_EXPIRED,             /* the credentials have expired */
    FAULT_CREDENTIALS,         /* no credentials found, or their file is malformed */
    FAULT_NO_BUCKET,           /* the bucket does not exist */
    FAULT_NO_OBJECT,           /* the object does not exist */
    FAULT_UNREACHABLE,         /* no connection to the store, or it was lost */
    FAULT_STALLED,             /* the store stopped moving bytes */
    FAULT_TLS,                 /* certificate not trusted, or for another host */
    FAULT_FULL,                /* the store has no room */
    FAULT_BUSY,                /* the store is overloaded: 429, 500, 503 */
    FAULT_REFUSED,             /* the store (400, 405, 413) or a JVM refuses the request */
    FAULT_CORRUPT,             /* bytes do not have the digest they should have */
    FAULT_FORMAT,              /* an answer or a file is not what it claims to be */
    FAULT_EXISTS,              /* something is there that must not be overwritten */
    FAULT_NO_PROCESS,          /* a process of ours could not be started */
    FAULT_GONE,                /* a multipart upload is no longer known to the store */
    FAULT_LATER,               /* stopped by a time limit or signal: will be resumed */
    FAULT_SOME,                /* some evidence could not be shipped */
    FAULT_CHECK,               /* `salvage check` found something that fails */
    FAULT_END
};

enum retry {
    RETRY_NEVER,  /* the user must change something, and this command ends */
    RETRY_SLOWLY, /* an operator must change something elsewhere: report it once, retry every few minutes */
    RETRY_SOON    /* may pass by itself: exponential backoff */
};

struct fault_info {
    int code;         /* enum fault, or an errno value */
    const char *name; /* for logs: "denied" */
    int exit_code;    /* of the commands */
    enum retry retry;
    const char *meaning; /* for docs */
};

/* The row of a negative result; errno values without a row share one. Never NULL. */
const struct fault_info *fault_find(int result);

/* Whether an error may pass by itself, so that a retry soon makes sense. */
bool fault_is_transient(int result);

/* The table, for the generated docs: *ret_count rows. */
const struct fault_info *fault_table(unsigned *ret_count);
