/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies in an S3 store: objects, and multipart uploads that were never ended. Page by page; keeps no page longer
 * than it takes to hand it on.
 */
#pragma once

#include "store/s3/s3_call.h"

/* As sink_ops.list and sink_ops.sweep. */
int s3_list(struct s3 *s, const char *prefix, int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx,
            struct err *e);
int s3_sweep(struct s3 *s, const struct upload_sweep *sweep, unsigned *ret_count, struct err *e);

/* A key as it stands in a listing asked for with encoding-type=url: form encoding, so that '+' is a space. malloc'ed.
 */
char *s3_key_decode(const char *text);

/* As sink_ops.list_after. */
int s3_list_after(struct s3 *s, const struct sink_list_from *from,
                  int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e);

/* As sink_ops.list_folder. */
int s3_list_folder(struct s3 *s, const char *folder, int (*fn)(void *ctx, const struct sink_listing_entry *entry),
                   void *ctx, struct err *e);
