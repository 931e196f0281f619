/* SPDX-License-Identifier: Apache-2.0
 *
 * Our credentials for a file server, as the value of Authorization. Those in a file are read again when it changes:
 * tokens that Kubernetes projects are renewed every hour.
 */
#pragma once

#include "base/err.h"
#include "base/secret.h"

/* From file or, if that is NULL, the environment: SALVAGE_CREDENTIALS_FILE ("user:password", "bearer TOKEN" or the bare
 * token), SALVAGE_TOKEN_FILE (a token), SALVAGE_HTTP_TOKEN, or SALVAGE_HTTP_USER and SALVAGE_HTTP_PASSWORD; NULL if
 * there is none. -FAULT_CREDENTIALS. */
int http_auth_get(const char *file, struct secret **ret, struct err *e);

/* The same, kept. *ret: NULL if there is none. Safe to use from several threads. */
struct http_auth;
int http_auth_new(const char *file, struct http_auth **ret, struct err *e);
void http_auth_free(struct http_auth *a);

/* As the file has it now; what was read before stays if the file cannot be read. Borrowed, until http_auth_free. */
const struct secret *http_auth_current(struct http_auth *a);
