/* SPDX-License-Identifier: Apache-2.0
 *
 * One object on its way into a container, as blocks: Put Block for each, then Put Block List, which makes the blob from
 * them at once. A small object is one Put Blob. Blocks that are never listed are no blob, and the service drops them
 * after a week. The contract is sink_ops (store/sink.h).
 */
#pragma once

#include "store/az/az_call.h"

enum { AZ_BLOCKS_MAX = 50000 };
#define AZ_BLOCK_MAX (4000ull << 20)

int az_upload_new(struct az *s, const struct upload_start *start, struct upload **ret, struct err *e);
int az_upload_write(struct upload *u, struct part *p, struct err *e);
int az_upload_commit(struct upload *u, const struct whole *w, struct err *e);
int az_upload_verify(struct upload *u, const struct whole *w, bool read, struct err *e);
void az_upload_abort(struct upload *u);
void az_upload_free(struct upload *u);

/* As sink_ops.probe: a block of one byte, which is never listed. */
int az_upload_probe(struct az *s, const char *key, struct err *e);
