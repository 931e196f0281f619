/* SPDX-License-Identifier: Apache-2.0
 *
 * The header fields and problem types of resumable uploads (draft-ietf-httpbis-resumable-upload-12): what answers
 * carry, and what a request says of its length.
 */
#pragma once

#include "serve/request.h"

#define UPLOAD_INTEROP_VERSION "8"
#define UPLOAD_VERSION_FIELD "Upload-Draft-Interop-Version"

enum { UPLOAD_LIMIT_MAX = 96 };

/* The value of Upload-Limit; lifetime_ms 0: none. Returns out. */
const char *upload_fields_limit(const struct uploads *u, uint64_t lifetime_ms, char out[UPLOAD_LIMIT_MAX]);

void upload_fields_add_uint(struct exchange *x, const char *name, uint64_t value);
void upload_fields_add_complete(struct exchange *x, bool complete);
void upload_fields_add_limit(struct request *r); /* of an upload that has been begun */

/* 400: the request's lengths contradict each other, or an earlier one's. */
void upload_fields_inconsistent(struct request *r);

/* 409: the request's Upload-Offset is not the upload's. */
void upload_fields_mismatch(struct request *r, uint64_t expected, uint64_t provided);

/* The object's length as a request says it, in either way, into *known; UINT64_MAX: not at all. is_rest: its body is
 * the rest. False if both ways differ, an earlier request (known) said another, or more comes than that. */
bool upload_fields_length(const struct exchange *x, uint64_t offset, bool is_rest, uint64_t *known);
