/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. One line of a guard's history: a case that was begun, or how it ended. JSON, one object per line,
 * appended. A crash may cut the file anywhere, and others may have written to it: a line that is not exactly right
 * is no record.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { CASE_LINE_KEY_MAX = 256, CASE_LINE_TENANT_MAX = 80, CASE_LINE_BOOT_MAX = 37 };

enum case_line_what {
    CASE_LINE_BEGUN,
    CASE_LINE_MADE,    /* complete in the store */
    CASE_LINE_FAILED,  /* nothing was stored */
    CASE_LINE_REFUSED, /* its process could not do anything: as if it had not been begun */
    CASE_LINE_KINDS
};

struct case_line {
    enum case_line_what what;
    char boot[CASE_LINE_BOOT_MAX]; /* linux/bootid.h: mono_ms counts from it */
    uint64_t mono_ms;
    int64_t wall_ms;                                           /* since 1970: for another boot */
    char key[CASE_LINE_KEY_MAX], tenant[CASE_LINE_TENANT_MAX]; /* any bytes but NUL; the key is never "" */
};

/* Appends a line. 0, -ENOMEM, -EMSGSIZE. */
int case_line_encode(const struct case_line *c, struct buf *ret);

/* A line without its end. 0, -EBADMSG, -ENOMEM; ret is untouched on failure. */
int case_line_decode(const char *line, size_t size, struct case_line *ret);
