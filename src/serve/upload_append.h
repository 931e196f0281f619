/* SPDX-License-Identifier: Apache-2.0
 *
 * One request of a resumable upload that brings bytes: they are written as they come, and its end answers.
 */
#pragma once

#include "serve/request.h"
#include "serve/upload_digests.h"
#include "serve/upload_resource.h"

struct upload_append {
    struct upload_resource resource;
    struct upload_digests digests;
    bool created;  /* by this request */
    bool complete; /* its body is the rest */
    bool replace;
    bool interim;      /* the client knows this version of the draft */
    uint64_t reported; /* the offset it last heard */
};

/* Takes the request's body, and s. */
void upload_append_receive(struct request *r, struct upload_append *s);

void upload_append_free(void *s);
