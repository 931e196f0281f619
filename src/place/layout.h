/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Folders whose names identify the pod of a file: on a node, pods write below DIR/NAMESPACE/POD
 * (subPathExpr), and "namespace/pod" says so. Text only. What the levels deeper down are called is the application's to
 * say, and believed by nobody.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum layout_level { LAYOUT_NAMESPACE, LAYOUT_POD, LAYOUT_CONTAINER, LAYOUT_LEVEL_END };
enum { LAYOUT_NAME_MAX = 254 }; /* Kubernetes' names have at most 253 bytes */

struct layout {
    int level[4]; /* enum layout_level, from the top; LAYOUT_LEVEL_END for "*", a folder that says nothing */
    unsigned count;
};

/* "" where nothing is said. */
struct layout_names {
    char name[LAYOUT_LEVEL_END][LAYOUT_NAME_MAX];
};

/* "namespace/pod", "namespace/pod/container", with "*" for a level to pass over. -FAULT_USAGE. */
int layout_parse(const char *text, struct layout *ret, struct err *e);

/* What the folders between `dir` and the file at `path` say. False if the file does not lie so deep, or a name is not
 * one that Kubernetes gives (RFC 1123: lower-case letters, digits, '-', '.'). */
bool layout_read(const struct layout *l, const char *dir, const char *path, struct layout_names *ret);
