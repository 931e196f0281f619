/* SPDX-License-Identifier: Apache-2.0
 *
 * An upload whose parts others send: begun here, and a presigned URL made for each part. A URL is bound to the part's
 * size and digest by headers that are signed with it: with it, nothing but that part can be sent.
 */
#pragma once

#include "store/s3/s3_call.h"

/* As sink_ops.hand_begin and hand_part. */
int s3_hand_begin(struct s3 *s, const struct object *o, struct handed_upload *ret, struct err *e);
int s3_hand_part(struct s3 *s, const struct handed_part *what, struct handed_request *ret, struct err *e);
