/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. One line of a guard's history: a case that was begun, or how it ended, for a guard that is started
 * again. JSON, a line each, appended; the file may be cut anywhere by a crash, and its lines may be anybody's: what is
 * not exactly right is no record.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { CASERECORD_KEY_MAX = 256, CASERECORD_TENANT_MAX = 80, CASERECORD_BOOT_MAX = 37 };

enum caserecord_what {
    CASERECORD_BEGUN,
    CASERECORD_MADE,    /* and is in the store */
    CASERECORD_FAILED,  /* nothing came of it */
    CASERECORD_REFUSED, /* it could not be begun after all */
    CASERECORD_KINDS
};

struct caserecord {
    enum caserecord_what what;
    char boot[CASERECORD_BOOT_MAX]; /* linux/bootid.h: mono_ms counts from it */
    uint64_t mono_ms;
    int64_t wall_ms;                                             /* since 1970: for another boot */
    char key[CASERECORD_KEY_MAX], tenant[CASERECORD_TENANT_MAX]; /* any bytes but NUL; the key is never "" */
};

/* Appends a line. 0, -ENOMEM, -EMSGSIZE. */
int caserecord_encode(const struct caserecord *c, struct buf *ret);

/* A line without its end. 0, -EBADMSG, -ENOMEM; ret is untouched on failure. */
int caserecord_decode(const char *line, size_t size, struct caserecord *ret);
