/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a JVM is to dump: a folder by the name that it has for the JVM, and a file name that no other process has. The
 * folder is named by the user, or found: the JVM may see a folder that we watch at another path than we do, or one
 * below it. Sets nothing.
 */
#pragma once

#include <stdbool.h>

#include "hotspot/jvm.h"

struct armplace_folder;

/* One of both. */
struct armplace {
    const char *dir;                        /* absolute, as every JVM sees it */
    struct armplace_folder *const *folders; /* folders of ours: the first that the JVM sees is taken */
    size_t folder_count;
    bool below; /* also a mount of the JVM's that shows a folder below one of them */
};

/* Of a folder as we see it: what it is on its file system. -FAULT_FOLDER. */
int armplace_folder_new(const char *path, struct armplace_folder **ret, struct err *e);
void armplace_folder_free(struct armplace_folder *f);

/* Whether a JVM would accept that name: absolute, no control character, no '%' (JDK 23 and newer replace %p), short
 * enough. 0 or -FAULT_USAGE. */
int armplace_check(const char *dir, struct err *e);

/* The folder as the JVM sees it, malloc'ed; it is there, and the JVM may write there. -ENOENT, -EACCES, -EROFS … */
int armplace_find(const struct armplace *place, const struct jvm *j, char **ret, struct err *e);

enum { ARMPLACE_BELOW_MAX = 4096 };

/* The folder of ours that a JVM sees, else the first one: its path, borrowed; NULL without any. below: where in it the
 * JVM's part begins, "" or "/a/b". */
const char *armplace_ours(const struct armplace *place, const struct jvm *j, char below[static ARMPLACE_BELOW_MAX]);

/* "POD-PID-TIME.hprof": pod (ECS task, host name) of the JVM's container, its pid there, its start; malloc'ed. NULL
 * without memory. */
char *armplace_name(const struct jvm *j, bool gzip);

/* Whether a path's name was made by armplace_name for this JVM. */
bool armplace_is_ours(const struct jvm *j, const char *path);
