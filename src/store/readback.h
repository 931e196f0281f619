/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading back: the size and SHA-256 of bytes that came from a store, against those that went there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct whole; /* store/sink.h */

struct readback {
    void *digest; /* OpenSSL's */
    uint64_t size;
};

int readback_init(struct readback *c);                               /* 0 or -ENOMEM */
int readback_add(struct readback *c, const void *data, size_t size); /* 0 or -ENOMEM */
int readback_hex(struct readback *c, char out[65]);                  /* ends it. 0 or -ENOMEM */
void readback_done(struct readback *c);

/* Ends it. 0 or -FAULT_CORRUPT: what (an URL, a path) stands in the message. */
int readback_same(struct readback *c, const struct whole *w, const char *what, struct err *e);
