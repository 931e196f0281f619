/* SPDX-License-Identifier: Apache-2.0
 *
 * A hidden folder for one dump, in a folder of the JVM, owned by the JVM's user (0700). A JVM that was asked for a dump
 * can't be stopped; but once the folder is removed, a JVM that begins late can't create the file, and leaves nothing
 * behind. Only the JVM's user can put files into it.
 */
#pragma once

#include "hotspot/jvm.h"

struct dumpfolder {
    int parent, fd; /* owned; -1: none */
    char name[64];  /* in parent */
    char *inner;    /* its path as the JVM sees it; owned */
};

#define DUMPFOLDER_NONE                                                                                                \
    {                                                                                                                  \
        .parent = -1, .fd = -1                                                                                         \
    }

/* place: a path in the JVM's mount namespace. The folder is made with the JVM's file permissions: where the JVM may not
 * write, this fails (-EACCES, -EROFS, -ENOENT …). -EPERM: we are root without the capabilities to act as the JVM's
 * user. */
int dumpfolder_make(const struct jvm *j, const char *place, struct dumpfolder *ret);

/* Removes the folder if it is empty, and closes what is open. */
void dumpfolder_remove(struct dumpfolder *f);

/* Closes and frees; the folder stays. */
void dumpfolder_done(struct dumpfolder *f);
