/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What a JVM answers when it is asked for a heap dump (heapDumper.cpp, HeapDumper::dump; the attach
 * command dumpheap and the diagnostic command GC.heap_dump). Its result is 0 whatever came of it: only the text says.
 */
#pragma once

#include <stddef.h>

enum dumpanswer {
    DUMPANSWER_MADE,    /* the file is there, and whole */
    DUMPANSWER_REFUSED, /* no file: it could not be made */
    DUMPANSWER_CUT,     /* a file is there that is not whole */
    DUMPANSWER_NONE     /* nothing was said of what came of it: the JVM ended meanwhile */
};

/* Any text will do. reason[size]: the JVM's own words, "" for MADE and NONE. */
enum dumpanswer dumpanswer_read(const char *text, char *reason, size_t size);
