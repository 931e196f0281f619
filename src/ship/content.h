/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The format of a file, by its first bytes alone: its name is not considered. Bounded; no allocation
 * outlives the call.
 *
 *   hprof          "JAVA PROFILE 1.0.1" to "1.0.3" and NUL (JDK's heapDumper.cpp, Android's hprof.cc); also inside gzip
 *   core           ELF with e_type ET_CORE, 32 or 64 bits, either byte order
 *   minidump       "MDMP" and version 0xa793 (OpenJ9 on Windows, breakpad)
 *   recording      "FLR" and NUL (JDK's jfrChunkHeader)
 *   phd            a UTF of "portable heap dump" (OpenJ9's heapdump.cpp); also inside gzip
 *   javacore       its first section is TITLE, its first subcomponent "dump routine" (OpenJ9's javadump.cpp)
 *   hs_err         one of the first sentences of HotSpot's VMError::report, in a comment
 *   heap snapshot  {"snapshot":{"meta" (V8's heap-snapshot-generator.cc)
 *   JVM's end      the schema of hotspot/jvmend.h
 *   taken early    CONTENT_TAKEN: a JVM's answer that we took before the JVM could answer no more
 *   crash          the schema of node/crash_record.h: CONTENT_CRASH_BEGINS
 *   thread dump    a time and "Full thread dump" (HotSpot's VM_PrintThreads)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum content {
    CONTENT_OTHER, /* none of them, or too few bytes */
    CONTENT_HPROF,
    CONTENT_HPROF_GZIP,
    CONTENT_CORE,
    CONTENT_MINIDUMP,
    CONTENT_RECORDING,
    CONTENT_RECORDING_BEGUN, /* its first chunk is still being written */
    CONTENT_PHD,
    CONTENT_PHD_GZIP,
    CONTENT_JAVACORE,
    CONTENT_HS_ERR,
    CONTENT_HEAP_SNAPSHOT,
    CONTENT_JVM_END,
    CONTENT_TAKEN_EARLY,
    CONTENT_CRASH,
    CONTENT_THREAD_DUMP
};

/* The first words of a text that we wrote for a watch to ship; the rest of the line is the reason. */
#define CONTENT_TAKEN "# salvage: "

/* The first bytes of the record of a crash (node/crash_record.h). */
#define CONTENT_CRASH_BEGINS "{\n  \"schema\": \"salvage.crash/"

enum { CONTENT_HEAD_MAX = 4096 }; /* bytes that are enough */

/* size: less than CONTENT_HEAD_MAX only if the file is that short. */
enum content content_of(const void *head, size_t size);
