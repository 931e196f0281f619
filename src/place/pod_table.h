/* SPDX-License-Identifier: Apache-2.0
 *
 * The pods of this node and the rule of the configuration that fits each: RUN/pods.json, which `salvage node-pods`
 * (node/pods.h) replaces by a rename, and which all other components read. Its first line is POD_TABLE_HEAD, each other
 * line a pod (place/pod_row.h), also those that are gone for less than an hour. A table holds an open descriptor and an
 * index, no rows: 200 pods cost 20 KiB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "place/pod_row.h"

#define POD_TABLE_HEAD "{\"schema\":\"salvage.pods/1\"}\n"
enum { POD_TABLE_ROWS_MAX = 4096, POD_TABLE_SIZE_MAX = 16 * 1024 * 1024 };

struct pod_table;

/* The file need not exist yet: the table is empty until it does. 0 or -ENOMEM. */
int pod_table_open(const char *path, struct pod_table **ret);
void pod_table_free(struct pod_table *t);
DEFINE_CLEANUP(struct pod_table *, pod_table_free)

/* A stat(2); reads the file only if it was replaced. 1: it was, 0: nothing new, or there is no file (then the table
 * stays as it is); -EBADMSG, -EMSGSIZE, -errno: this file is not the table, and what was known stays. A file that was
 * refused is not read again. */
int pod_table_refresh(struct pod_table *t);

/* Whether a file was ever read. */
bool pod_table_is_read(const struct pod_table *t);
size_t pod_table_count(const struct pod_table *t);

/* ret: a copy, to be freed by pod_row_done. 0, -ENOENT, -ENOMEM, -EBADMSG, -errno. Of two pods of one name (a
 * StatefulSet's) the one that is there, else the newest. */
int pod_table_at(const struct pod_table *t, size_t index, struct pod_row *ret);
int pod_table_find(const struct pod_table *t, const char *uid, struct pod_row *ret);
/* A row's rule without reading the row: 0 (it may be ""), -EAGAIN: it is pending, -ENOENT. */
int pod_table_rule(const struct pod_table *t, const char *uid, char ret[POD_RULE_MAX]);
int pod_table_find_name(const struct pod_table *t, const char *namespace, const char *name, struct pod_row *ret);
