/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap dump that a JVM writes when it runs out of memory: where it lies by the JVM's options, whether it is there,
 * this JVM's and this OOM's, and if not, why not. Changes nothing.
 *
 * HotSpot (heapDumper.cpp, HeapDumper::dump_heap) writes the dump before it runs the OnOutOfMemoryError commands, and
 * holds still until they have ended. HeapDumpPath may be a file or a folder; nothing given, the working folder. In a
 * folder it is java_pidN.hprof, with HeapDumpGzipLevel java_pidN.hprof.gz; further dumps of the same process get .1, .2
 * … behind it. From JDK 23 on a %p in the path is the pid. It never writes over a file that is there.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "hotspot/jvm.h"

struct oomdump {
    bool here;      /* path is the dump; else it is where it would have lain */
    bool watched;   /* a watch is at work on its folder, or on one further up */
    char *path;     /* as we can open it */
    char *leftover; /* an older process's dump under that very name, which is in the way of ours; NULL without */
};

/* options: the JVM's, with those that it answered itself where it could be asked. 0, -ENOMEM, or why it cannot be
 * searched for. */
int oomdump_find(const struct jvm *j, const struct jvmopts *options, struct oomdump *ret, struct err *e);
void oomdump_done(struct oomdump *d);

/* Whether a watch has most likely taken the dump away already: there is one, and the JVM could write where it was told
 * to. */
bool oomdump_taken(const struct jvmopts *options, const struct oomdump *d);

/* Gives a watch a few seconds to take a dump that is here; what it leaves (it may be told to look at other names only)
 * stays here. */
void oomdump_await_watch(struct oomdump *d);

/* Of a dump that is not here: the likely reason, into out[size]; returns out. */
const char *oomdump_why(const struct jvmopts *options, const struct oomdump *d, char *out, size_t size);
