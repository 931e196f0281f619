/* SPDX-License-Identifier: Apache-2.0
 *
 * Resumable uploads: draft-ietf-httpbis-resumable-upload, revision 12 (July 2026), interop version 8. An upload that
 * begins with Upload-Complete gets a resource of its own below /-/uploads/: HEAD says how far it is, PATCH goes on,
 * DELETE cancels it. route.h has the entry for those.
 */
#pragma once

#include "serve/request.h"

#define UPLOAD_RESOURCES REQUEST_OWN "uploads/"

/* Whether a PUT or POST asks for one. *ret_complete: its body is the whole object. */
bool upload_resume_wanted(const struct request *r, bool *ret_complete);

/* Begins one for the request's key. */
void upload_resume_create(struct request *r, bool complete);

/* Adds Upload-Limit: for OPTIONS, so that a client knows what is offered before it sends anything. Nothing where no
 * uploads are taken. */
void upload_resume_offer(struct request *r);
