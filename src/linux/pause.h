/* SPDX-License-Identifier: Apache-2.0
 *
 * For how long a process stood still while a piece of evidence was taken of it, and how that is known. Measures
 * nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum pause_by {
    PAUSE_UNKNOWN,
    PAUSE_PTRACE,    /* we held it, and measured that */
    PAUSE_SAFEPOINT, /* HotSpot's counter of time at safepoints, before and after: collections meanwhile included */
    PAUSE_ANSWER,    /* from our request to the JVM's answer: at most so long */
    PAUSE_FILE,      /* from the creation of the JVM's own dump to its last write: at most so long */
    PAUSE_KINDS
};

enum { PAUSE_TEXT_MAX = 32 };

struct pause {
    enum pause_by by;
    uint64_t us;         /* 0 only where it is unknown */
    uint64_t consistent; /* of a core: bytes from its beginning that are of the moment of the pause; 0: all of them */
};

/* "ptrace"; NULL for PAUSE_UNKNOWN. */
const char *pause_name(enum pause_by by);

/* PAUSE_UNKNOWN for a name that is none, or NULL. */
enum pause_by pause_find(const char *name);

/* "0.4 ms", "129 ms", "<4.7 s" for one that is known as an upper bound, "-" for none; into out[PAUSE_TEXT_MAX], which
 * it returns. */
const char *pause_print(const struct pause *p, char *out);

/* A pause of so long, at least of a microsecond. */
struct pause pause_of(enum pause_by by, uint64_t us);
