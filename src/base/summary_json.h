/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The classes of a summary as JSON: a list of objects with `name`, `count` (objects) and `bytes` (of all
 * of them together), the most bytes first.
 */
#pragma once

#include <jansson.h>

#include "base/summary.h"

/* 1 with *ret, 0 if there are none, -ENOMEM: as json_field.encode. */
int summary_rows_encode(const struct summary_row *row, unsigned count, json_t **ret);

/* At most `most` rows: a newer version may write more. 0; -EBADMSG: it is no such list. */
int summary_rows_decode(const json_t *value, struct summary_row *row, unsigned most, unsigned *ret_count);
