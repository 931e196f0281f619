/* SPDX-License-Identifier: Apache-2.0
 *
 * What can go wrong, in one table: the number a function returns (negated, beyond errno's own range), the exit
 * code a user sees, and whether trying again can help. Owns no messages: those are made where the fault is met
 * (base/err.h). docs/exit-codes.md is generated from the table.
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
    FAULT_LOCKED,              /* another salvage is at work on the same thing */
    FAULT_DENIED,              /* the store refuses these credentials */
    FAULT_EXPIRED,             /* the credentials have expired */
    FAULT_CREDENTIALS,         /* no credentials found, or their file is malformed */
    FAULT_NO_BUCKET,           /* the bucket does not exist */
    FAULT_NO_OBJECT,           /* the object does not exist */
    FAULT_UNREACHABLE,         /* no connection to the store, or it was lost */
    FAULT_STALLED,             /* the store stopped moving bytes */
    FAULT_TLS,                 /* certificate or host name do not fit */
    FAULT_FULL,                /* the store has no room */
    FAULT_BUSY,                /* the store asks for patience: 429, 500, 503 */
    FAULT_REFUSED,             /* the store (400, 405, 413) or a JVM answers that it will not */
    FAULT_CORRUPT,             /* bytes do not have the digest they should have */
    FAULT_FORMAT,              /* an answer or a file is not what it claims to be */
    FAULT_EXISTS,              /* something is there that must not be overwritten */
    FAULT_NO_PROCESS,          /* a process of ours could not be started */
    FAULT_GONE,                /* a multipart upload is no longer known to the store */
    FAULT_LATER,               /* stopped in time: will be resumed */
    FAULT_SOME,                /* some evidence could not be shipped */
    FAULT_CHECK,               /* `salvage check` found something that fails */
    FAULT_END
};

enum retry {
    RETRY_NEVER,  /* the user must change something, and this command ends */
    RETRY_SLOWLY, /* an operator must change something elsewhere: say it once, try every few minutes */
    RETRY_SOON    /* may pass by itself: exponential backoff */
};

struct fault_info {
    int code;         /* enum fault, or an errno value */
    const char *name; /* for logs: "denied" */
    int exit_code;    /* of the commands */
    enum retry retry;
    const char *meaning; /* for docs */
};

/* The row for a negative result of any function here; errno values without a row share one. Never NULL. */
const struct fault_info *fault_find(int result);

/* Whether an error may pass by itself, so that what met it is worth another try soon. */
bool fault_passes(int result);

/* The table, for the generated docs: *ret_count rows. */
const struct fault_info *fault_table(unsigned *ret_count);
