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
