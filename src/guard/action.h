/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The list of --do: what to take of a target, in which order, and how long each may take. Does none of
 * it.
 *
 *   stats,threads,histogram@30s,heap-dump@10m:live,get@5s:http://127.0.0.1:6060/debug/pprof/heap,signal:USR2
 *
 * An item is NAME[@TIME][@pause=TIME][:ARGUMENT]. Times stand right behind the name, where no URL and no command can be
 * meant: the first is how long it may take, pause= how long a process may stand still for its core. A ',' ends an item,
 * also in a command or a URL: there "\," is a comma (a backslash before anything else is itself).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum action_kind {
    ACTION_STATS,
    ACTION_HISTOGRAM,
    ACTION_THREADS,
    ACTION_NATIVE,
    ACTION_HEAP_DUMP,
    ACTION_CORE,
    ACTION_GET,
    ACTION_SIGNAL,
    ACTION_EXEC,
    ACTION_KINDS
};

enum { ACTION_PAUSE_MS = 100 }; /* of a core, unless something else is said */
enum { ACTION_MAX = 16, ACTION_ARGUMENT_MAX = 1024, ACTION_TEXT_MAX = 2 * ACTION_ARGUMENT_MAX + 192 };

struct action {
    enum action_kind kind;
    bool live;                          /* heap-dump:live: what is reachable only, after a full collection */
    int signal;                         /* its number */
    uint64_t limit_ms;                  /* never 0 */
    uint64_t pause_ms;                  /* core: of standing still; 0: for its registers and stacks only */
    char argument[ACTION_ARGUMENT_MAX]; /* of get and exec; else "" */
};

struct actions {
    struct action item[ACTION_MAX];
    unsigned count;
};

struct action_word {
    const char *name; /* "heap-dump" */
    const char *form; /* "heap-dump[:live]" */
    uint64_t limit_ms;
    const char *help;
};

/* By enum action_kind; ends with name NULL. */
extern const struct action_word ACTION_WORDS[];

/* The small evidence first, and what asks nothing of the process before what does: a histogram walks the heap, threads
 * only their stacks. */
#define ACTION_DEFAULT "stats,threads,histogram,heap-dump"

/* Appends the items of text, in their order; the same may come twice. -FAULT_USAGE: which item, and what would be
 * right; list is then as before. Refused are: signals that no process can handle (KILL, STOP), URLs but http and https,
 * URLs with a password (it would stand in ps) and control characters. Whether the process handles a signal is for
 * others to look at. */
int action_add(const char *text, struct actions *list, struct err *e);

/* As it is written, with its time if that isn't the default's, into out[ACTION_TEXT_MAX]; returns out. */
const char *action_print(const struct action *a, char *out);
