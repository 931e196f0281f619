/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor, for the supervise*.c files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/backoff.h"
#include "linux/launch.h"
#include "linux/memcg.h"
#include "run/event_summary.h"
#include "run/supervise.h"
#include "ship/attach_supervisor.h"

enum { SUPERVISE_PATIENCE_MS = 10 * 1000 }; /* for a watch that should have stopped by now */

struct supervisor {
    const struct supervise_config *config;
    struct launch_signals before;
    pid_t app, watch; /* 0: not running */
    bool terminal;    /* the terminal was given to the application */
    int signal_fd, channel;
    struct memcg cgroup; /* our own, and so the application's */
    uint64_t oom_before, began_ms;
    /* Once the application has ended. */
    bool ended;
    pid_t ended_pid;
    int status; /* of wait(2) */
    uint64_t oom_kills, ran_ms;
    bool oom_known;
    uint64_t stop_ms, kill_ms; /* when the watch is asked to stop at once, and when it is killed */
    /* The watch. */
    struct attach_supervisor arm;
    struct event_summary summary;
    struct backoff backoff;
    uint64_t restart_ms; /* 0: not scheduled */
    unsigned restarts;   /* since the application ended */
    unsigned stops;      /* requests to stop: signals, and the end of the grace */
    bool asked, hurried; /* the watch got SIGTERM; it got SIGINT or SIGKILL */
    bool locked_out;     /* another watch holds the folders: watch_instead runs */
    bool finished;
};

/* supervise_watch.c: the watch, a process that ships what the application leaves */

/* Starts it, or plans to do so later. */
void supervise_start_watch(struct supervisor *s);

/* Sends the signals that are due and were not sent. Not before the process that arms has ended: it may still write a
 * crash log. */
void supervise_stop_watch(struct supervisor *s);

/* Reads the watch's events; s->channel is open. */
void supervise_read_channel(struct supervisor *s);
void supervise_close_channel(struct supervisor *s);

/* The watch has ended. After the application's end it is started again only if a signal killed it, such as an OOM
 * kill's. */
void supervise_on_watch_end(struct supervisor *s, int status);

/* supervise_report.c: how the application ended */

/* As a shell gives it: 128 plus the number of the signal. */
int supervise_exit_status(const struct supervisor *s);

/* Logs the death, unless the application ended well or was asked to stop. */
void supervise_report_death(const struct supervisor *s);

/* Logs the last line: how it ended, and what was shipped. */
void supervise_report_end(const struct supervisor *s);
