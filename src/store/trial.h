/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading back: the size and SHA-256 of bytes that came from a store, against those that went there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct whole; /* store/sink.h */

struct check {
    void *digest; /* OpenSSL's */
    uint64_t size;
};

int check_init(struct check *c);                               /* 0 or -ENOMEM */
int check_add(struct check *c, const void *data, size_t size); /* 0 or -ENOMEM */
int check_hex(struct check *c, char out[65]);                  /* ends it. 0 or -ENOMEM */
void check_done(struct check *c);

/* Ends it. 0 or -FAULT_CORRUPT: what (an URL, a path) stands in the message. */
int check_same(struct check *c, const struct whole *w, const char *what, struct err *e);
