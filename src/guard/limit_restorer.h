/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts back what a journal (guard/limit_journal.h) says: when its input ends, which is when the case has, or the guard
 * that holds the other end; what was held already at the deadline. A process of its own, for lowering a limit takes the
 * kernel as long as it takes, and a deadline is one though the guard be busy, or dead. Goes on until all of it is back
 * or its cgroup is gone; a setting that says something else than what we wrote is somebody else's by now, and left.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Protocol: a guard to its restorer (`salvage guard-restore`), as its command line. Its input is a pipe whose end means
 * the case's end. */
enum {
    LIMIT_RESTORER_ARGS = 6,   /* "salvage", "guard-restore" and the request */
    LIMIT_RESTORER_JOURNAL = 3 /* the descriptor of the journal, if it is handed over */
};

struct limit_restorer_request {
    const char *folder, *name; /* of the journal */
    bool json_log;
    bool has_journal; /* as LIMIT_RESTORER_JOURNAL, locked by its writer: at no time is it without a restorer */
};

void limit_restorer_encode(const struct limit_restorer_request *r, char *ret_argv[LIMIT_RESTORER_ARGS + 1]);

/* argv[0] is "guard-restore". 0 or -FAULT_USAGE. */
int limit_restorer_decode(int argc, char **argv, struct limit_restorer_request *ret, struct err *e);

/* The whole process; ignores the signals that end a guard. Its exit code: 0 when there is nothing left to do, also
 * where another restorer is at it or the journal is none; the journal is then gone. */
int limit_restorer_main(const struct limit_restorer_request *r);

/* Names of journals: override-0123456789abcdef.json */
enum { LIMIT_RESTORER_NAME_MAX = 32 };
void limit_restorer_new_name(char ret[LIMIT_RESTORER_NAME_MAX]);
bool limit_restorer_is_name(const char *name);

/* input: see above. journal: its locked descriptor, -1: it is to be locked. 0 as above; -EBADMSG: no journal. */
int limit_restorer_run(const char *folder, const char *name, int input, int journal, struct err *e);
