/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What is kept of a resumable upload besides its bytes: JSON, one file beside them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { UPLOAD_RECORD_MAX = 16 * 1024 };

struct upload_record {
    char *key, *owner; /* owned; the caller who began it (access.h) */
    uint64_t length;   /* UINT64_MAX: the client has not said it yet */
    bool only_new;     /* If-None-Match: * */

    /* Its end: written before the object gets its name. */
    bool complete;
    bool there;      /* the same object was there already */
    uint64_t size;   /* UINT64_MAX before */
    char sha256[65]; /* "" before */
};

void upload_record_done(struct upload_record *r);
int upload_record_encode(const struct upload_record *r, struct buf *ret);

/* 0, -EBADMSG, -ENOMEM; ret is untouched on failure. */
int upload_record_decode(const char *json, size_t size, struct upload_record *ret);
