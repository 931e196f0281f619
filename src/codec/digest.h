/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 whose running state can be saved and loaded: the journal has it, so that a resumed upload does not read again
 * what was already shipped. (OpenSSL's EVP interface can't do that; its low-level one can.)
 */
#pragma once

#ifndef OPENSSL_SUPPRESS_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_CTX: the only interface whose state can be saved */
#endif
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_HEX_MAX = 65, DIGEST_SAVED_MAX = 256 };

struct digest {
    SHA256_CTX state;
};

void digest_init(struct digest *d);
void digest_update(struct digest *d, const void *data, size_t size);

/* The digest in hex; more data can be added afterwards. */
void digest_hex(const struct digest *d, char out[DIGEST_HEX_MAX]);
void digest_raw(const struct digest *d, unsigned char out[SHA256_DIGEST_LENGTH]);

/* How many bytes it is of. */
uint64_t digest_bytes(const struct digest *d);

/* The state as text, and back: 0 or -EBADMSG. */
void digest_save(const struct digest *d, char out[DIGEST_SAVED_MAX]);
int digest_load(struct digest *d, const char *saved);
