/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests that a request states of what it sends (RFC 9530): Content-Digest, of this request's bytes, and Repr-Digest,
 * of the whole object. SHA-256 and SHA-512; others are ignored.
 */
#pragma once

#include <openssl/evp.h>

#include "base/err.h"
#include "net/digest_field.h"
#include "net/http_server.h"

struct upload_digests {
    struct digest_field content, repr;
    EVP_MD_CTX *sha256, *sha512; /* of this request's bytes; NULL: not asked for */
};

/* Reads the headers. -FAULT_USAGE: malformed; -ENOMEM. */
int upload_digests_init(struct upload_digests *d, const struct exchange *x, struct err *e);
void upload_digests_done(struct upload_digests *d);

void upload_digests_add(struct upload_digests *d, const void *data, size_t size);

/* After the request's last byte; once. -FAULT_CORRUPT. */
int upload_digests_check_content(struct upload_digests *d, struct err *e);

/* fd: the whole object; sha256: its digest as it was computed on the way in. -FAULT_CORRUPT; -errno of reading it. */
int upload_digests_check_whole(const struct upload_digests *d, int fd, const unsigned char *sha256, struct err *e);
