/* SPDX-License-Identifier: Apache-2.0
 *
 * A hidden folder of a dump's own, below one of the JVM's folders and the JVM's user's alone. A JVM that was asked for
 * a dump can't be stopped; but once the folder is gone, one that comes to it later finds no place to write to, and
 * leaves nothing behind. Only the JVM's own user can put files there.
 */
#pragma once

#include "hotspot/jvm.h"

struct dumpfolder {
    int parent, fd; /* owned; -1: there is none */
    char name[64];  /* in parent */
    char *inner;    /* its path as the JVM sees it; owned */
};

#define DUMPFOLDER_NONE                                                                                                \
    {                                                                                                                  \
        .parent = -1, .fd = -1                                                                                         \
    }

/* place: as the JVM sees it. Made with the JVM's own rights on files: where it may not write, neither may we (-EACCES,
 * -EROFS, -ENOENT …); -EPERM: root without the capabilities to act as the JVM's user. */
int dumpfolder_make(const struct jvm *j, const char *place, struct dumpfolder *ret);

/* Removes the folder if it is empty, and closes what is open. */
void dumpfolder_remove(struct dumpfolder *f);

/* Closes and frees; the folder stays. */
void dumpfolder_done(struct dumpfolder *f);
