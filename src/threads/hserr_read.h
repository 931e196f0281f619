/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What a HotSpot crash log says (VMError::report in vmError.cpp, JDK 5 to 25): error, frame, thread with
 * its stacks, heap, JVM's options, core.
 */
#pragma once

#include "threads/thread_pieces.h"

enum { HSERR_LINES_MAX = 64 };

struct hserr_lines {
    struct piece line[HSERR_LINES_MAX];
    unsigned count;
    bool more; /* there were more */
};

/* Borrowed from the text. Size 0: it is not there. */
struct hserr_log {
    struct piece allocation;   /* "Native memory allocation (mmap) failed to map 65536 bytes" */
    struct piece frame;        /* "C  [libzip.so+0x12d3]" */
    struct piece core;         /* where the core is, or why there is none */
    struct piece thread;       /* its name, or what it is */
    struct piece vm_state;     /* "not at safepoint" */
    struct piece operation;    /* "VM_Operation (0x…): G1CollectFull, …" */
    struct piece signal_info;  /* "si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x0" */
    struct piece elapsed;      /* "5.46 seconds (0d 0h 0m 5s)" */
    struct piece options;      /* of the JVM, with secrets */
    struct piece java_command; /* the main class and its arguments, with secrets */
    struct hserr_lines native_frames, java_frames, heap;
    bool by_kill; /* the signal was sent by kill(2) */
};

/* Any text. */
void hserr_read(const char *text, size_t size, struct hserr_log *ret);
