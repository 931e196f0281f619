/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS Signature Version 4 (AWS IAM User Guide, "Create a signed AWS API request"): pure text in, header values out.
 * For S3 the path is encoded once and not normalised. Sends nothing.
 */
#pragma once

#include "net/sign.h"

#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* host, x-amz-date, for service "s3" x-amz-content-sha256, and with a token x-amz-security-token are signed too: the
 * caller sends them. payload_sha256 may not be NULL. 0 or -ENOMEM. */
int sigv4_sign(const struct sign_request *r, const struct credentials *c, struct signature *ret);

/* Signs a URL instead (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"): *ret_query is what
 * stands behind its '?', r's own parameters included. Only host and r's headers are signed; the body is not. r's
 * payload_sha256 plays no part. At most seven days. 0 or -ENOMEM. */
int sigv4_presign(const struct sign_request *r, const struct credentials *c, uint64_t valid_s,
                  struct secret **ret_query);
