/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The list of --do: which evidence to take of a target, in which order, and how long each piece may
 * take. Executes nothing.
 *
 *   stats,threads,histogram@30s,heap-dump@10m:live,get@5s:http://127.0.0.1:6060/debug/pprof/heap,signal:USR2
 *
 * An item is NAME[@TIME][@pause=TIME][:ARGUMENT]. Times follow the name, where they can't be part of a URL or a
 * command: the first is the time limit, pause= how long a process may be stopped for its core. A ',' ends an item,
 * also in a command or a URL: there "\," is a comma (a backslash before anything else is a backslash).
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

enum { ACTION_PAUSE_MS = 100 }; /* of a core, unless given */
enum { ACTION_MAX = 16, ACTION_ARGUMENT_MAX = 1024, ACTION_TEXT_MAX = 2 * ACTION_ARGUMENT_MAX + 192 };

struct action {
    enum action_kind kind;
    bool live;         /* heap-dump:live: reachable objects only, after a full collection */
    int signal;        /* its number */
    uint64_t limit_ms; /* never 0 */
    uint64_t pause_ms; /* core: how long the process may be stopped; 0: only registers and stacks are read while it is
                          stopped */
    char argument[ACTION_ARGUMENT_MAX]; /* for get and exec; else "" */
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

/* Small evidence first, and what leaves the process alone before what does not: a histogram walks the heap, a thread
 * dump only the stacks. */
#define ACTION_DEFAULT "stats,threads,histogram,heap-dump"

/* Appends the items of text, in order; an item may occur twice. -FAULT_USAGE: the error names the item and what to
 * write; list is unchanged. Refused are signals that no process can handle (KILL, STOP), URLs other than http and
 * https, URLs with a password (visible in ps), and control characters. Whether the process handles a signal is
 * checked when it is sent. */
int action_add(const char *text, struct actions *list, struct err *e);

/* As written, with its time if that isn't the default, into out[ACTION_TEXT_MAX]; returns out. */
const char *action_print(const struct action *a, char *out);
