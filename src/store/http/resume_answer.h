/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server says about a resumable upload (draft-ietf-httpbis-resumable-upload, revision 12).
 */
#pragma once

#include "store/http/http_store.h"

#define RESUME_INTEROP_VERSION "8"

enum { RESUME_LOCATION_MAX = 1024 };

/* The URL of an upload's resource, from an answer or a journal; malloc'ed. NULL: it is none, or without memory. A
 * resource is a path of this very server: credentials go nowhere else, whatever an answer or a journal says. */
char *resume_resource_url(const struct http_store *s, const char *path);

/* A field that is a number. False: it is not there, or no number. */
bool resume_answer_uint(const struct http_answer *a, const char *name, uint64_t *ret);

/* Upload-Complete. */
bool resume_answer_is_complete(const struct http_answer *a);

/* Whether Repr-Digest is there and this. */
bool resume_answer_has_digest(const struct http_answer *a, const unsigned char *sha256);
