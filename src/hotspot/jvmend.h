/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The record of a JVM that ended badly and left neither a heap dump nor a crash log: how it ended, and
 * its last counters, which stay readable after its end (hotspot/counters.h). Schema salvage.jvm-end/1: JSON, the schema
 * first. HotSpot makes no dump at an OutOfMemoryError for direct buffers or native threads, nor at one that Java code
 * throws. Text counters are left out, except the collector's: they contain the command line's secrets.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "hotspot/hsperf.h"
#include "place/origin.h"

/* The first bytes of a record. */
#define JVMEND_BEGINS "{\n  \"schema\": \"salvage.jvm-end/"

enum { JVMEND_UNKNOWN = -1 };

/* The process's numbers in /proc, at the last reading before its end. */
struct jvmend_sample {
    int64_t time_ns;                       /* 0: there was no reading */
    uint64_t threads, rss, rss_anon, swap; /* bytes */
};

struct jvmend {
    pid_t pid;                     /* in the JVM's pid namespace */
    const char *command, *version; /* "" unknown */
    int64_t started_ns, ended_ns;  /* since 1970; started 0: unknown */
    int status;                    /* as of wait(2), or JVMEND_UNKNOWN */
    bool orderly;                  /* it has removed its counters file, as a JVM does unless it is killed */
    struct jvmend_sample sample;
    const struct hsperf *counters; /* NULL: it had none */
};

/* Whether this end is worth a record: not exit status 0, nor the end after SIGTERM, SIGINT or SIGHUP (exit with 128
 * plus the signal). JVMEND_UNKNOWN is. */
bool jvmend_is_bad(int status);

/* "exit", "signal", "unknown". Static. */
const char *jvmend_why(int status);

/* The exit status, or 128 plus the signal, as in a shell. status is not JVMEND_UNKNOWN. */
int jvmend_exit(int status);

/* Appends the record. 0, -ENOMEM, -EMSGSIZE. */
int jvmend_write(const struct jvmend *end, struct buf *ret);

/* Reads the origin from a record, or from any bytes that begin like one. */
void jvmend_origin(const char *text, size_t size, struct origin *ret);
