/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The options of a JVM from all places at once: variables, command line and the files that these name,
 * in the order of the launcher (JDK args.c) and HotSpot (arguments.cpp, Arguments::parse):
 *   -XX:Flags=FILE            the weakest; from JDK 9 on only the last one named counts
 *   JAVA_TOOL_OPTIONS
 *   JDK_JAVA_OPTIONS          JDK 9 and newer, `java` alone; before the command line's words
 *   the command line
 *   _JAVA_OPTIONS             the strongest
 * An @argfile may stand in the command line and in JDK_JAVA_OPTIONS, not in the two others; it names no further one,
 * and none is read behind --disable-@files or the word that names the application. -XX:VMOptionsFile= and -XX:Flags=
 * may stand anywhere; a VMOptionsFile names no further one. Files are read by the caller: nothing is opened here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/strv.h"
#include "hotspot/jvmopts.h"

enum jvmlaunch_kind {
    JVMLAUNCH_JAVA,   /* the launcher `java` */
    JVMLAUNCH_OTHER,  /* a program with a JVM in it: any word may be an option, none is an @argfile */
    JVMLAUNCH_PARENT, /* what may start `java` further on: a shell with its script; any word may be for it */
};

enum { JVMLAUNCH_FILE_MAX = 1024 * 1024 }; /* bytes of a file of options */

struct jvmlaunch {
    enum jvmlaunch_kind kind;
    size_t argc;
    char *const *argv; /* argv[0] too */
    unsigned feature;  /* the JDK's feature release; 0 unknown: taken for JDK 9 or newer */
    const char *(*variable)(void *ctx, const char *name);      /* the value; NULL without */
    int (*load)(void *ctx, const char *path, struct buf *ret); /* a file, as the JVM sees it; < 0 if it can't be read */
    void *ctx;
};

/* *ret_words: argv with JDK_JAVA_OPTIONS and the @argfiles put in (of JVMLAUNCH_JAVA); *ret_unread: some file of
 * options could not be read, and counts as empty. 0 or -ENOMEM. */
int jvmlaunch_read(const struct jvmlaunch *in, struct jvmopts *ret, struct strv *ret_words, bool *ret_unread);

/* What a variable (by its name) has to be so that drop's options are in it no more: those in files that it names, too,
 * whose other words then stand in the variable itself. malloc'ed; NULL without memory. in: variable and load alone. */
char *jvmlaunch_without(const struct jvmlaunch *in, const char *name, bool (*drop)(const char *option));
