/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What a client keeps for us and cannot read or change: a sealed text (AES-256-GCM) that ends at a time,
 * and signatures (HMAC-SHA256). All keys are derived from one, for one purpose each; replicas that have the same one
 * understand each other's, and share nothing else.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"

enum { SEAL_KEY = 32, SEAL_MAX = 4096, SEAL_PLAIN_MAX = 2900, SEAL_SIGNATURE_HEX = 65 };

struct seal_key {
    unsigned char byte[SEAL_KEY];
};

/* From a secret of any size, for a purpose such as "session". */
void seal_key_derive(const void *secret, size_t size, const char *purpose, struct seal_key *ret);

/* Base64url into out[SEAL_MAX]. -EMSGSIZE above SEAL_PLAIN_MAX, -EIO. */
int seal_close(const struct seal_key *k, const struct secret *plain, int64_t expires_s, char out[SEAL_MAX]);

/* -EBADMSG: not sealed by this key, changed, or over; -ENOMEM. */
int seal_open(const struct seal_key *k, const char *text, int64_t now_s, struct secret **ret);

/* Hex into out. Texts end with NULL; the signature is over each of them and their sizes. */
void seal_sign(const struct seal_key *k, const char *const *texts, char out[SEAL_SIGNATURE_HEX]);

/* 0 or -EBADMSG, in the same time for all signatures. */
int seal_check(const struct seal_key *k, const char *const *texts, const char *signature);
