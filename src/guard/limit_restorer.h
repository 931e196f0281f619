/* SPDX-License-Identifier: Apache-2.0
 *
 * Restores the settings of a journal (guard/limit_journal.h): when its input ends, which means that the case has
 * ended or that the guard has died; a hold at its deadline at the latest. A separate process, because lowering a
 * limit blocks in the kernel, and because the deadline holds even if the guard is busy or dead. Continues until
 * everything is restored or its cgroup is gone; a setting with a value that we did not write was changed by another
 * program, and is left alone.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Protocol: a guard to its restorer (`salvage guard-restore`), as its command line. Its input is a pipe whose end means
 * the case's end. */
enum {
    LIMIT_RESTORER_ARGS = 6,   /* "salvage", "guard-restore" and the request */
    LIMIT_RESTORER_JOURNAL = 3 /* descriptor of the journal, if it is inherited */
};

struct limit_restorer_request {
    const char *folder, *name; /* of the journal */
    bool json_log;
    bool has_journal; /* inherited as LIMIT_RESTORER_JOURNAL, locked by the guard: so the journal is locked all the time
                       */
};

void limit_restorer_encode(const struct limit_restorer_request *r, char *ret_argv[LIMIT_RESTORER_ARGS + 1]);

/* argv[0] is "guard-restore". 0 or -FAULT_USAGE. */
int limit_restorer_decode(int argc, char **argv, struct limit_restorer_request *ret, struct err *e);

/* The whole process; ignores the signals that end a guard. Its exit code: 0 when nothing is left to do, also if
 * another restorer has the journal, or if the journal is invalid; the journal is then removed. */
int limit_restorer_main(const struct limit_restorer_request *r);

/* Names of journals: override-0123456789abcdef.json */
enum { LIMIT_RESTORER_NAME_MAX = 32 };
void limit_restorer_new_name(char ret[LIMIT_RESTORER_NAME_MAX]);
bool limit_restorer_is_name(const char *name);

/* input: see above. journal: its locked descriptor; -1: lock it first. 0 as above; -EBADMSG: an invalid journal. */
int limit_restorer_run(const char *folder, const char *name, int input, int journal, struct err *e);
