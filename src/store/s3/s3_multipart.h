/* SPDX-License-Identifier: Apache-2.0
 *
 * The beginning and the abort of a multipart upload: all that can be done with one without sending parts.
 */
#pragma once

#include "store/s3/s3_call.h"
#include "store/s3/s3_object.h"

enum { S3_TOKEN_MAX = 1024 }; /* an upload's id, as a journal keeps it */

/* CreateMultipartUpload of o's key and content type. ret->checksum: the kind that parts will have; NONE: the one that
 * suits the connection. */
struct s3_begun {
    char *token; /* malloc'ed */
    enum s3_checksum checksum;
    bool checks; /* the answer has confirmed it */
};
int s3_begin(struct s3 *s, const struct object *o, const struct request_patience *patience, struct s3_begun *ret,
             struct err *e);

/* Aborts an upload by its id; one that is gone already counts as done. */
int s3_abort(struct s3 *s, const char *key, const char *token, const struct request_patience *patience, struct err *e);
