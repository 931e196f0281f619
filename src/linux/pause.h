/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a process was stopped while evidence was taken, and how that was measured.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum pause_by {
    PAUSE_UNKNOWN,
    PAUSE_PTRACE,    /* we stopped it, and measured the time */
    PAUSE_SAFEPOINT, /* HotSpot's counter of time at safepoints, before and after: collections meanwhile included */
    PAUSE_ANSWER,    /* from our request to the JVM's answer: an upper bound */
    PAUSE_FILE,      /* from the creation of the JVM's own dump to its last write: an upper bound */
    PAUSE_KINDS
};

enum { PAUSE_TEXT_MAX = 32 };

struct pause {
    enum pause_by by;
    uint64_t us;         /* 0 only where it is unknown */
    uint64_t consistent; /* of a core: bytes from its beginning that were copied during the pause; 0: all */
};

/* "ptrace"; NULL for PAUSE_UNKNOWN. */
const char *pause_name(enum pause_by by);

/* PAUSE_UNKNOWN for an unknown name, or NULL. */
enum pause_by pause_find(const char *name);

/* "0.4 ms", "129 ms", "<4.7 s" for an upper bound, "-" for unknown; into out[PAUSE_TEXT_MAX], which it returns. */
const char *pause_print(const struct pause *p, char *out);

/* A pause of us, at least one microsecond. */
struct pause pause_of(enum pause_by by, uint64_t us);
