/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The options of a JVM from all sources: variables, command line, and the files that these name, in the
 * order of the launcher (JDK args.c) and HotSpot (arguments.cpp, Arguments::parse):
 *   -XX:Flags=FILE            the weakest; from JDK 9 on only the last one named counts
 *   JAVA_TOOL_OPTIONS
 *   JDK_JAVA_OPTIONS          JDK 9 and newer, `java` alone; before the command line's words
 *   the command line
 *   _JAVA_OPTIONS             the strongest
 * An @argfile may occur in the command line and in JDK_JAVA_OPTIONS, not in the other two variables; it cannot name
 * another, and none is read after --disable-@files or the word that names the application. -XX:VMOptionsFile= and
 * -XX:Flags= may occur anywhere; a VMOptionsFile cannot name another. The caller reads the files: nothing is opened
 * here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/strv.h"
#include "hotspot/jvmopts.h"

enum jvmlaunch_kind {
    JVMLAUNCH_JAVA,   /* the launcher `java` */
    JVMLAUNCH_OTHER,  /* a program that embeds a JVM: any word may be an option, none is an @argfile */
    JVMLAUNCH_PARENT, /* a process that may start `java` later, such as a shell with its script: any word may be an
                         option */
};

enum { JVMLAUNCH_FILE_MAX = 1024 * 1024 }; /* bytes of an options file */

struct jvmlaunch {
    enum jvmlaunch_kind kind;
    size_t argc;
    char *const *argv; /* argv[0] too */
    unsigned feature;  /* the JDK's feature release; 0 unknown: treated as JDK 9 or newer */
    const char *(*variable)(void *ctx, const char *name);      /* the value; NULL if not set */
    int (*load)(void *ctx, const char *path, struct buf *ret); /* loads a file of the JVM's mount namespace; -errno */
    void *ctx;
};

/* *ret_words: argv with JDK_JAVA_OPTIONS and @argfiles inserted (for JVMLAUNCH_JAVA); *ret_unread: an options file
 * could not be read, and counts as empty. 0 or -ENOMEM. */
int jvmlaunch_read(const struct jvmlaunch *in, struct jvmopts *ret, struct strv *ret_words, bool *ret_unread);

/* A new value for the variable `name` without the options for which drop is true. If a file that it names has such
 * options, the file's other words are put into the value itself. malloc'ed; NULL without memory. Used of in: variable,
 * load, ctx. */
char *jvmlaunch_without(const struct jvmlaunch *in, const char *name, bool (*drop)(const char *option));
