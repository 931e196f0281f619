/* SPDX-License-Identifier: Apache-2.0
 *
 * An object on its way through this server into a store elsewhere, in parts; readers see it once it is whole. Belongs
 * to one thread.
 */
#pragma once

#include <stdint.h>

#include "codec/digest.h"
#include "serve/gateway.h"

struct store_upload;

struct store_upload_start {
    const char *key, *content_type; /* content_type may be NULL; these must live as long as the upload */
    const char *namespace;          /* so must this */
    int64_t size;                   /* -1: not known */
    bool replace;                   /* what is there; else store_upload_finish fails with -FAULT_EXISTS */
};

/* Claims the memory first: -EAGAIN if others have all of it, for two seconds. */
int store_upload_new(struct gateway *g, const struct store_upload_start *start, struct store_upload **ret,
                     struct err *e);

/* May wait until the store has taken what came before. -EFBIG: the store takes no such object. */
int store_upload_write(struct store_upload *u, const void *data, size_t size, struct err *e);

/* What was written so far, while it is no more than a part; NULL else. */
const struct buf *store_upload_text(const struct store_upload *u);

/* After the last byte: the store has all of it, and has confirmed it. sha256: hex. */
int store_upload_finish(struct store_upload *u, const char sha256[DIGEST_HEX_MAX], struct err *e);

/* Unless it was finished, the store keeps nothing of it. */
void store_upload_free(struct store_upload *u);
