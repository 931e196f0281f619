/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Folder names that identify the pod of a file: on a node pods write below DIR/NAMESPACE/POD
 * (subPathExpr), described as "namespace/pod". Text only. Deeper levels are named by the application, and are not
 * trusted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum layout_level { LAYOUT_NAMESPACE, LAYOUT_POD, LAYOUT_CONTAINER, LAYOUT_LEVEL_END };
enum { LAYOUT_NAME_MAX = 254 }; /* Kubernetes' names have at most 253 bytes */

struct layout {
    int level[4]; /* enum layout_level, from the top; LAYOUT_LEVEL_END for "*", a folder of any name */
    unsigned count;
};

/* "": unknown. */
struct layout_names {
    char name[LAYOUT_LEVEL_END][LAYOUT_NAME_MAX];
};

/* Parses "namespace/pod", "namespace/pod/container", with "*" for a level to ignore. 0 or -FAULT_USAGE. */
int layout_parse(const char *text, struct layout *ret, struct err *e);

/* How many folders lie above the one of this level; l->count if it has no such level. */
unsigned layout_depth(const struct layout *l, enum layout_level level);

/* The names of the folders between `dir` and the file at `path`. False if the file is not that deep, or a name is not a
 * valid Kubernetes name (RFC 1123: lower-case letters, digits, '-', '.'). */
bool layout_read(const struct layout *l, const char *dir, const char *path, struct layout_names *ret);
