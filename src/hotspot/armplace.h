/* SPDX-License-Identifier: Apache-2.0
 *
 * The HeapDumpPath to set in a JVM: a folder, by its path in the JVM's container, and a file name that is unique to the
 * process. The user names the folder, or it is found among the JVM's mounts: the JVM may see a folder that we watch, or
 * a part of it, at another path. Changes nothing.
 */
#pragma once

#include <stdbool.h>

#include "hotspot/jvm.h"

struct armplace_folder;

/* Either dir or folders. */
struct armplace {
    const char *dir;                        /* absolute, the same path in every JVM */
    struct armplace_folder *const *folders; /* watched folders: the first one that the JVM sees is used */
    size_t folder_count;
    bool below; /* a mount that shows only a part of a watched folder will do, too */
};

/* Identifies a watched folder (our path) by its place on its file system. 0, -FAULT_FOLDER, -ENOMEM. */
int armplace_folder_new(const char *path, struct armplace_folder **ret, struct err *e);
void armplace_folder_free(struct armplace_folder *f);

/* Whether dir can be a HeapDumpPath: absolute, no control character, no '%' (JDK 23 and newer replace %p), short
 * enough. 0 or -FAULT_USAGE. */
int armplace_check(const char *dir, struct err *e);

/* The folder's path in the JVM's container, malloc'ed; it exists, and the JVM may write to it. -ENOENT, -EACCES, -EROFS
 * … */
int armplace_find(const struct armplace *place, const struct jvm *j, char **ret, struct err *e);

enum { ARMPLACE_BELOW_MAX = 4096 };

/* Our path of the watched folder that a JVM sees, else of the first watched folder; NULL if there is none. Borrowed.
 * below: the part of the folder that the JVM sees, "" for all of it, or "/a/b". */
const char *armplace_watched_folder(const struct armplace *place, const struct jvm *j,
                                    char below[static ARMPLACE_BELOW_MAX]);

/* "POD-PID-TIME.hprof": the pod (else ECS task, else host name), the JVM's pid in its container, the start of the
 * process. malloc'ed; NULL without memory. */
char *armplace_name(const struct jvm *j, bool gzip);

/* Whether a path's name was made by armplace_name for this JVM. */
bool armplace_is_ours(const struct jvm *j, const char *path);
