/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of sink_ops (store/sink.h) for one object on its way into a folder.
 */
#pragma once

#include "store/sink.h"

int file_upload_new(struct sink *sink, const struct upload_start *start, struct upload **ret, struct err *e);
int file_upload_write(struct upload *u, struct part *p, struct err *e);
int file_upload_commit(struct upload *u, const struct whole *w, struct err *e);
/* Reads the object back by its name, as a reader would. */
int file_upload_verify(struct upload *u, const struct whole *w, bool read, struct err *e);
void file_upload_abort(struct upload *u);
void file_upload_free(struct upload *u);
int file_upload_abort_token(struct sink *sink, const char *key, const char *token, struct err *e);
