/* SPDX-License-Identifier: Apache-2.0
 *
 * HotSpot's diagnostic commands (jcmd) that this program uses: diagnosticCommand.cpp, JDK 8 to 25.
 */
#pragma once

#define DIAGNOSTIC_THREADS "Thread.print"
#define DIAGNOSTIC_THREADS_LOCKS "Thread.print -l" /* with the owned java.util.concurrent locks */
#define DIAGNOSTIC_HISTOGRAM "GC.class_histogram -all"
#define DIAGNOSTIC_HISTOGRAM_LIVE "GC.class_histogram" /* after a full collection */
#define DIAGNOSTIC_HEAP_INFO "GC.heap_info"
#define DIAGNOSTIC_HEAP_DUMP "GC.heap_dump" /* [-all] [-gz=N] [-parallel=N] [-overwrite] "FILE" */
#define DIAGNOSTIC_HEAP_DUMP_HELP "help GC.heap_dump"
#define DIAGNOSTIC_FLAGS "VM.flags"
#define DIAGNOSTIC_FLAGS_ALL "VM.flags -all"
#define DIAGNOSTIC_INFO "VM.info"
#define DIAGNOSTIC_NATIVE_MEMORY "VM.native_memory summary" /* with -XX:NativeMemoryTracking only */
#define DIAGNOSTIC_PROPERTIES "VM.system_properties"
