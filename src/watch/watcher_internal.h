/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of one watch, shared by the watcher_*.c files and their unit test; of no use to anyone else.
 */
#pragma once

#include <uv.h>

#include "ship/child_supervisor.h"
#include "ship/claim.h"
#include "watch/candidate.h"
#include "watch/hang_probe.h"
#include "watch/idset.h"
#include "watch/ignored.h"
#include "watch/sniffer.h"
#include "watch/watcher.h"
#include "watch/worker_pool.h"

enum {
    WATCHER_FOLLOW_DELAY_MS = 200, /* a file that is complete by then needs no following */
    WATCHER_ERROR_RETRY_MS = 1000, /* after an error that may pass: a file is polled, the folders are scanned again */
    WATCHER_ONCE_TRIES_MAX = 5,    /* before --once reports that something was not examined */
    WATCHER_BACKLOG_SCAN_MS = 500
};

struct watcher {
    const struct watcher_config *config;
    uv_loop_t loop;
    uv_poll_t notify;
    uv_poll_t mounts;
    int mounts_fd; /* of /proc/self/mountinfo; -1: mounts that come later are not noticed */
    uv_timer_t poll_timer, scan_timer, rescan_timer, check_timer, grace_timer, probe_timer;
    struct hang_probe probe;
    struct loop_watchdog *dog; /* NULL: none */
    unsigned due; /* WATCHER_DUE_…: what is done once network file systems were asked whether they answer */
    uv_signal_t term, interrupt;
    struct source *source;
    struct pool *pool;
    struct child_supervisor armer, storecheck;
    struct spool **spools; /* owned */
    size_t spool_count, spool_capacity;
    struct candidates candidates;
    const char *left_root; /* whose claims of an earlier run are being read */
    struct idset done;     /* files read in place that are with the pool, or through: not claimed again in this run */
    bool backlog;          /* files were left in place for want of room: scan again when claims are through */
    bool events_lost;      /* scan again, but not at once */
    uint64_t rescanned_ms;
    bool stopping, stopped;
    unsigned left_hung; /* files that were given up at the end, as their file system does not answer */
    unsigned left;      /* claims and files that are not shipped when the watch ends: for the next run */
    unsigned unreadable;
    unsigned unexamined;   /* files and folders that --once has given up examining */
    bool rescan;           /* a scan is due, as a folder could not be read or files were left: --once waits for it */
    unsigned failed_scans; /* in a row, by an error that may pass */
    struct ignored ignored;
    struct sniffer sniffer;
    unsigned by_content;      /* candidates of any name */
    bool by_content_scan_due; /* too many of those: scan again when they are through */
    struct err locked;        /* why this watch may not run */
};

/* watcher.c. start: 0, or why the watch can't run; then the loop runs until `stopped`. */
int watcher_start(struct watcher *w, struct err *e);
void watcher_stop(struct watcher *w);
void watcher_done(struct watcher *w);
void watcher_begin_stop(struct watcher *w);
void watcher_check_stop(struct watcher *w); /* stops if that is wanted and nothing is left to wait for */
void watcher_proceed(struct watcher *w);    /* to be called when anything has happened: next poll, or the end */

/* watcher_spools.c */
void watcher_open_root_state(void *ctx, struct folder *f);
void watcher_open_state(struct watcher *w, struct folder *f, const char *name);
/* The spool that a file is claimed into: the root's, or on another file system below it one beside the file. */
struct spool *watcher_spool_for(struct watcher *w, struct folder *f, const struct identity *file);
/* Closes spools of volumes below a root that hold no claim: an open folder keeps a mount busy. */
void watcher_release_spools(struct watcher *w);

/* watcher_claims.c */
/* A complete file becomes a claim; one that was followed is already with the pool. */
void watcher_claim_candidate(struct watcher *w, struct candidate *c, const struct settle_result *result, int dirfd);
/* A large heap dump that is still being written: begins to ship it while it grows, if it can be followed. */
void watcher_follow_candidate(struct watcher *w, struct candidate *c, struct settle_result *result);
void watcher_retry_candidate(struct watcher *w, struct candidate *c, int error);

/* watcher_poll.c */
void watcher_poll_candidate(struct watcher *w, struct candidate *c);
void watcher_drop_candidate(struct watcher *w, struct candidate *c);
void watcher_arm_poll_timer(struct watcher *w);

/* watcher_scan.c */
enum { WATCHER_DUE_SCAN = 1, WATCHER_DUE_LOST = 2, WATCHER_DUE_CHECK = 4, WATCHER_DUE_STOP = 8 };
/* Once it is known which folders answer: at once where none is on a network file system. */
void watcher_do_soon(struct watcher *w, unsigned due);
void watcher_scan(struct watcher *w);
void watcher_scan_later(struct watcher *w, uint64_t delay_ms);
void watcher_scan_for_lost_events(struct watcher *w);
void watcher_check_folders_later(struct watcher *w, uint64_t delay_ms);
void watcher_after_source(struct watcher *w); /* to be called after anything that the source has done */

/* watcher_events.c */
struct source_events watcher_source_events(struct watcher *w);
