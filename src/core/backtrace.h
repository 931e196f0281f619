/* SPDX-License-Identifier: Apache-2.0
 *
 * Backtraces of a core with the executables that its modules were mapped from: frames by call frame information
 * (.eh_frame, .debug_frame), names by DWARF and symbol tables. By libdw (elfutils), which reads foreign files: only for
 * a process in a sandbox. Where there is no executable, or it has another build-id, what core_read finds remains.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/core_read.h"

enum {
    BACKTRACE_FRAMES_MAX = 256, /* of a thread */
    BACKTRACE_INLINED_MAX = 16, /* functions at one address */
    BACKTRACE_FILES_MAX = 256   /* separate debug files that are open at once */
};

/* Where executables and separate debug files come from. */
struct backtrace_files {
    /* A path as the process saw it, or below /usr/lib/debug: a descriptor for reading, or -errno. */
    int (*open)(void *ctx, const char *path);
    void *ctx;
};

/* A function at an address. Texts are foreign; borrowed from the backtraces. */
struct backtrace_name {
    const char *function; /* demangled, without parameters; NULL unknown */
    const char *file;     /* of the source; NULL unknown */
    int line;             /* 0 unknown */
    bool inlined;         /* into the next one, at the same address */
};

struct backtrace_frame {
    uint64_t address;
    const struct backtrace_name *name; /* the innermost first */
    size_t name_count;                 /* 0: nothing is known */
};

struct backtraces;

/* core and files must outlive it. files NULL: none. 0, -ENOMEM. */
int backtraces_new(const struct core_read *core, const struct backtrace_files *files, struct backtraces **ret);
void backtraces_free(struct backtraces *b);

/* The frames of a thread of the core, the innermost first: at least one. *ret_more: there are more. -ENOMEM. */
int backtraces_thread(struct backtraces *b, const struct core_thread *t,
                      struct backtrace_frame frame[BACKTRACE_FRAMES_MAX], size_t *ret_count, bool *ret_more);

/* What was found of a module, as far as frames needed it. */
enum backtrace_source { BACKTRACE_NOT_ASKED, BACKTRACE_MISSING, BACKTRACE_OTHER_BUILD, BACKTRACE_FOUND };
enum backtrace_source backtraces_module(const struct backtraces *b, const struct core_module *m);
