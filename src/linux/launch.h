/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts child processes: the application of `run`, as if it had been started without us; salvage itself beside it,
 * isolated from the application; and salvage again for a case of guard. Does not wait for children.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Signal settings that the supervisor changes, and restores for the application. */
struct launch_signals {
    sigset_t mask;          /* before */
    struct sigaction child; /* SIGCHLD's action */
};

/* Blocks all signals except those of our own faults, so that they can be read from a signalfd for *ret_waiting. Needed
 * for PID 1, too: the kernel drops its signals that are neither handled nor blocked. */
void launch_block_signals(struct launch_signals *ret_before, sigset_t *ret_waiting);

/* Starts the application in a new process group. 0, or -errno, also of its execve: -ENOENT if it doesn't exist. */
int launch_app(char *const *argv, char *const *env, const struct launch_signals *before, pid_t *ret);

/* Starts salvage itself in a new session, with empty input, its output on our stderr, and the other end of
 * *ret_channel, a SOCK_SEQPACKET pair, as descriptor LAUNCH_CHANNEL. The kernel sends it SIGTERM when we die. */
enum { LAUNCH_CHANNEL = 3 };
int launch_salvage(char *const *argv, pid_t *ret, int *ret_channel);

/* The same with another environment than ours; NULL: an empty one, as environ is after clearenv(3). */
int launch_salvage_in(char *const *argv, char *const *env, pid_t *ret, int *ret_channel);

/* Passes the terminal on stdin from one process group to another. False if stdin is not a terminal, or `from` is not
 * its foreground group. */
bool launch_give_terminal(pid_t from, pid_t to);

enum { LAUNCH_ARGS_MAX = 300, LAUNCH_FAILED = 127 /* the exit code if exec failed */ };

/* In a child that was just forked: executes salvage with the arguments of head, then of rest (which ends with NULL).
 * keep: a descriptor that it inherits; -1: none. It ignores the SIGINT of a terminal: its parent ends it. */
_Noreturn void launch_exec_salvage(char *const *head, size_t count, char *const *rest, int keep);
