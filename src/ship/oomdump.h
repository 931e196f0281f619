/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap dump that a JVM writes when it runs out of memory: its path by the JVM's options, whether it is there and is
 * of this JVM and this OOM, and if not, why. Changes nothing.
 *
 * HotSpot (heapDumper.cpp, HeapDumper::dump_heap) writes the dump before it runs the OnOutOfMemoryError commands, and
 * stands still until they have ended. HeapDumpPath may be a file or a folder; the default is the working folder. In
 * a folder the name is java_pidN.hprof, with HeapDumpGzipLevel java_pidN.hprof.gz; further dumps of one process have
 * .1, .2 … at the end. From JDK 23 on a %p in the path is the pid. HotSpot never overwrites a file.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "hotspot/jvm.h"

struct oomdump {
    bool here;      /* path is the dump's; else the path that it would have had */
    bool watched;   /* a watch runs on its folder, or on one above */
    char *path;     /* as we can open it */
    char *leftover; /* the dump of an older process, whose name prevented ours; NULL: none */
};

/* options: the JVM's; with its own answers if it could be asked. 0, -ENOMEM, or why no search is possible. */
int oomdump_find(const struct jvm *j, const struct jvmopts *options, struct oomdump *ret, struct err *e);
void oomdump_done(struct oomdump *d);

/* Whether a watch has most likely claimed the dump already: one runs there, and the JVM could write to the path. */
bool oomdump_taken(const struct jvmopts *options, const struct oomdump *d);

/* Waits a few seconds for a watch to claim a dump that is there. A watch may ignore it, because of its options. */
void oomdump_await_watch(struct oomdump *d);

/* The probable reason why there is no dump, into out[size]; returns out. */
const char *oomdump_why(const struct jvmopts *options, const struct oomdump *d, char *out, size_t size);
