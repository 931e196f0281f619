/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The record of a JVM that ended badly and left neither a heap dump nor a crash log: how it ended, and
 * its counters, which stay readable behind its end (hotspot/counters.h). Schema salvage.jvm-end/1: JSON, the schema
 * first. HotSpot makes no dump of an OutOfMemoryError for direct buffers and native threads, nor of one that Java code
 * throws: then this is what is left. Of texts it holds none but the collector's words: a command line's secrets stand
 * in counters, too.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "hotspot/hsperf.h"
#include "place/origin.h"

/* How far into the file the schema stands. */
#define JVMEND_BEGINS "{\n  \"schema\": \"salvage.jvm-end/"

enum { JVMEND_UNKNOWN = -1 };

/* What the kernel counted, at the last look while it lived. */
struct jvmend_sample {
    int64_t time_ns;                       /* 0: there was none */
    uint64_t threads, rss, rss_anon, swap; /* bytes */
};

struct jvmend {
    pid_t pid;                     /* as the JVM knows itself */
    const char *command, *version; /* "" unknown */
    int64_t started_ns, ended_ns;  /* since 1970; started 0: unknown */
    int status;                    /* as wait has it, or JVMEND_UNKNOWN */
    bool orderly;                  /* it has removed the file of its counters, as a JVM does that was not killed */
    struct jvmend_sample sample;
    const struct hsperf *counters; /* NULL: it kept none */
};

/* Whether it is worth a record: not an exit with 0, nor by what ends a JVM on request (SIGTERM, SIGINT, SIGHUP, after
 * which it exits with 128 and the signal). Unknown is. */
bool jvmend_is_bad(int status);

/* "exit", "signal", "unknown". Static. */
const char *jvmend_why(int status);

/* As a shell says it: the exit status, or 128 and the signal. status is known. */
int jvmend_exit(int status);

/* Appends the record. 0, -ENOMEM, -EMSGSIZE. */
int jvmend_write(const struct jvmend *end, struct buf *ret);

/* Of a record, or of any bytes that begin like one. */
void jvmend_origin(const char *text, size_t size, struct origin *ret);
