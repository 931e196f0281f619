/* SPDX-License-Identifier: Apache-2.0
 *
 * Crash logs of JVMs beside a core, by their names: what is in them is not read.
 */
#pragma once

enum { CRASH_LOGS_MAX = 16 };

/* Logs in the folder of a file that were written within ten minutes of it: "hs_err_pid17.log,hs_err_pid18.log",
 * malloc'ed. NULL: none, it is no core, or the folder can't be read. */
char *crash_logs_beside(const char *path, int fd);

/* Of such a list the log of that process, malloc'ed; a log whose name has no process is of any. NULL: none. */
char *crash_logs_of(const char *list, int pid);
