/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A JVM's answer to a request for a heap dump (heapDumper.cpp, HeapDumper::dump; the attach command
 * dumpheap and the diagnostic command GC.heap_dump). The result is 0 even if the dump failed: only the text tells
 * success from failure.
 */
#pragma once

#include <stddef.h>

enum dumpanswer {
    DUMPANSWER_MADE,    /* the file was written completely */
    DUMPANSWER_REFUSED, /* the file could not be created */
    DUMPANSWER_CUT,     /* the file is incomplete */
    DUMPANSWER_NONE     /* the text has no outcome: the JVM ended meanwhile */
};

/* Accepts any text. reason[size]: the JVM's error message, "" for MADE and NONE. */
enum dumpanswer dumpanswer_read(const char *text, char *reason, size_t size);
