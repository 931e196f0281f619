/* SPDX-License-Identifier: Apache-2.0
 *
 * The signature of Huawei's Object Storage Service in the Authorization header (OBS API Reference, "Authentication of
 * Signature in a Header"): pure text in, header values out. Sends nothing.
 */
#pragma once

#include "net/sign.h"

/* x-obs-date, with a payload_sha256 x-obs-content-sha256, and with a token x-obs-security-token are signed too: the
 * caller sends them. host, path and region play no part. 0 or -ENOMEM. */
int obssign_sign(const struct sign_request *r, const struct credentials *c, struct signature *ret);

/* Signs a URL instead (OBS API Reference, "Authentication of Signature in a URL"): *ret_query is what stands behind its
 * '?', r's own parameters included; it holds for valid_s from r's time on. Of r's headers, Content-MD5,
 * Content-Type and x-obs-* are signed: its bearer sends them. 0 or -ENOMEM. */
int obssign_presign(const struct sign_request *r, const struct credentials *c, uint64_t valid_s,
                    struct secret **ret_query);
