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

/* As which descriptor its parent hands it the journal. */
enum { LIMIT_RESTORER_JOURNAL = 3 };

/* Names of journals: loan-0123456789abcdef.json */
enum { LIMIT_RESTORER_NAME_MAX = 32 };
void limit_restorer_new_name(char ret[LIMIT_RESTORER_NAME_MAX]);
bool limit_restorer_is_name(const char *name);

/* journal: its descriptor, locked by who wrote it, so that it is without a keeper at no time; -1: left behind. Becomes
 * ours. 0 when there is nothing left to do, also where another keeper is at it; the journal is then gone. */
int limit_restorer_run(const char *folder, const char *name, int input, int journal, struct err *e);
