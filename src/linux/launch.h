/* SPDX-License-Identifier: Apache-2.0
 *
 * How children begin. A supervisor's two: the application, with everything as if it had been started without us, and
 * our own watch, with as little in common with it as can be. A guard's: our own program again. Forks and executes;
 * waits for no child's end.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What is changed for the supervisor, and given back to the application. */
struct launch_signals {
    sigset_t mask;          /* that was blocked */
    struct sigaction child; /* SIGCHLD's action */
};

/* Blocks all signals but those of a fault of our own, so that they wait to be read (a signalfd for *ret_waiting); also
 * as PID 1, for which the kernel drops only what is neither handled nor blocked. */
void launch_block_signals(struct launch_signals *ret_before, sigset_t *ret_waiting);

/* Starts the application in a process group of its own. 0, or -errno of its execve: -ENOENT if it isn't there. */
int launch_app(char *const *argv, char *const *env, const struct launch_signals *before, pid_t *ret);

/* Starts our own executable, in a session of its own, with no input, its output on our stderr, and *ret_channel's other
 * end as descriptor LAUNCH_CHANNEL: a SOCK_SEQPACKET pair. It gets SIGTERM when we die. */
enum { LAUNCH_CHANNEL = 3 };
int launch_watch(char *const *argv, pid_t *ret, int *ret_channel);

/* The terminal (stdin, if it is one), to another process group: true if it was ours to give. from: who should have it
 * now. */
bool launch_give_terminal(pid_t from, pid_t to);

enum { LAUNCH_ARGS_MAX = 300, LAUNCH_FAILED = 127 /* the exit code of what could not become salvage */ };

/* In a child that was just forked: becomes salvage with the arguments of head and, behind them, of rest (ends with
 * NULL). keep: a descriptor that it is to have, too; -1. It passes over the SIGINT of a terminal: its parent ends it.
 */
_Noreturn void launch_become(char *const *head, size_t count, char *const *rest, int keep);
