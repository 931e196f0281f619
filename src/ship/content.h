/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What a file is, by its first bytes. Foreign bytes: bounded, no allocation that outlives the call, no
 * name looked at.
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
 *   taken early    CONTENT_TAKEN: what we had a JVM answer before it could not any more
 *   thread dump    a time and "Full thread dump" (HotSpot's VM_PrintThreads)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum content {
    CONTENT_OTHER, /* none of them, or too little of it */
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
    CONTENT_THREAD_DUMP
};

/* How a text of ours begins that a watch is to ship; the rest of the line says why it was taken. */
#define CONTENT_TAKEN "# salvage: "

enum { CONTENT_HEAD_MAX = 4096 }; /* bytes that are worth reading */

/* size: less than CONTENT_HEAD_MAX only if that is all there is. */
enum content content_of(const void *head, size_t size);
