/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of one watch; shared by the watcher_*.c files and their unit test only.
 */
#pragma once

#include <uv.h>

#include "ship/child_supervisor.h"
#include "ship/claim.h"
#include "watch/candidate.h"
#include "watch/hang_probe.h"
#include "watch/idset.h"
#include "watch/ignored.h"
#include "watch/pod_roots.h"
#include "watch/sniffer.h"
#include "watch/watcher.h"
#include "watch/worker_pool.h"

enum {
    WATCHER_FOLLOW_DELAY_MS = 200, /* a file that is complete by then is not followed */
    WATCHER_ERROR_RETRY_MS = 1000, /* after an error that may pass, files are polled and folders scanned again */
    WATCHER_ONCE_TRIES_MAX = 5,    /* tries, before --once reports that something was not examined */
    WATCHER_BACKLOG_SCAN_MS = 500
};

struct watcher {
    const struct watcher_config *config;
    uv_loop_t loop;
    uv_poll_t notify;
    uv_poll_t mounts;
    uv_poll_t table; /* of pods, when a selection goes by it */
    int mounts_fd;   /* of /proc/self/mountinfo; -1: later mounts are not noticed */
    uv_timer_t poll_timer, scan_timer, rescan_timer, check_timer, grace_timer, probe_timer, selection_timer;
    struct hang_probe probe;
    struct loop_watchdog *dog; /* NULL: none */
    unsigned due;              /* WATCHER_DUE_…: done once it is known which network file systems respond */
    uv_signal_t term, interrupt;
    struct source *source;
    struct pod_roots *pods; /* NULL: none */
    struct pool *pool;
    struct child_supervisor armer, storecheck, notifier;
    struct spool **spools; /* owned */
    size_t spool_count, spool_capacity;
    struct spool *given; /* one of them: in the state folder that was given; NULL: none was, or it can't be used */
    struct candidates candidates;
    const struct folder *left_root; /* the folder whose claims of an earlier run are being read */
    struct idset done; /* files read in place that the pool has, or has finished: not claimed again in this run */
    bool backlog;      /* files were left in place for lack of room: scan again when claims are finished */
    bool events_lost;  /* scan again, but not at once */
    uint64_t rescanned_ms;
    bool stopping, stopped;
    unsigned left_hung; /* files that were left at the end because their file system does not respond */
    unsigned left;      /* claims and files that are not shipped when the watch ends: left for the next run */
    unsigned unreadable;
    unsigned unexamined; /* files and folders that --once has given up examining */
    bool rescan;         /* a scan is due because a folder could not be read or files were left: --once waits for it */
    unsigned failed_scans; /* consecutive failures, with errors that may pass */
    struct ignored ignored;
    struct sniffer sniffer;
    unsigned by_content;      /* candidates of any name */
    bool by_content_scan_due; /* too many of those: scan again when there are fewer */
    struct err locked;        /* why this watch may not run */
};

/* watcher.c. start: 0, or why the watch can't run; then the loop runs until `stopped`. */
int watcher_start(struct watcher *w, struct err *e);
void watcher_stop(struct watcher *w);
void watcher_done(struct watcher *w);
void watcher_begin_stop(struct watcher *w);
void watcher_check_stop(struct watcher *w); /* stops if that is wanted and waiting does not help */
void watcher_proceed(struct watcher *w);    /* called after every event: schedules the next poll, or stops */

/* watcher_spools.c */
void watcher_open_root_state(void *ctx, struct folder *f);
void watcher_open_state(struct watcher *w, struct folder *f, const char *name);
/* The spool for a file's claim: the root's, or one beside the file if that is on another file system. */
struct spool *watcher_spool_for(struct watcher *w, struct folder *f, const struct identity *file);
/* Closes spools of volumes below a root that hold no claim: an open folder keeps a mount busy. */
void watcher_release_spools(struct watcher *w);

/* watcher_notices.c: notices of what was stored. */
void watcher_start_notifier(struct watcher *w);
void watcher_on_stored(void *ctx, const struct claim *c, const struct manifest *m);

/* watcher_claims.c */
/* The pod and the tenant of a claim, by the root that it was found below. -ENOMEM. */
int watcher_set_owner(const struct watcher *w, const struct folder *root, struct claim *claim);
/* Takes the claim. fd: of its evidence, borrowed; of a claim in a pod it is held open. -1: none. */
void watcher_add_to_pool(struct watcher *w, struct claim *claim, int fd);
/* Makes a claim of a complete file, if it is not one already because it was followed. */
void watcher_claim_candidate(struct watcher *w, struct candidate *c, const struct settle_result *result, int dirfd);
/* Starts following a large heap dump that is still being written, if that is possible. */
void watcher_follow_candidate(struct watcher *w, struct candidate *c, struct settle_result *result);
void watcher_retry_candidate(struct watcher *w, struct candidate *c, int error);

/* watcher_pods.c. start: 0 or -errno; then pod_roots_start adds what there is. */
int watcher_start_pods(struct watcher *w);
void watcher_on_pod_changed(void *ctx, struct folder *f);
void watcher_on_pod_limited(void *ctx, const struct folder *f);

/* watcher_selection.c. wait: after a scan, for pods that are not known yet. */
void watcher_start_selection(struct watcher *w);
void watcher_wait_for_selection(struct watcher *w);

/* watcher_poll.c */
void watcher_poll_candidate(struct watcher *w, struct candidate *c);
void watcher_drop_candidate(struct watcher *w, struct candidate *c);
void watcher_arm_poll_timer(struct watcher *w);

/* watcher_scan.c */
enum { WATCHER_DUE_SCAN = 1, WATCHER_DUE_LOST = 2, WATCHER_DUE_CHECK = 4, WATCHER_DUE_STOP = 8 };
/* Called once it is known which folders respond: at once if none is on a network file system. */
void watcher_do_soon(struct watcher *w, unsigned due);
void watcher_scan(struct watcher *w);
void watcher_scan_later(struct watcher *w, uint64_t delay_ms);
void watcher_scan_for_lost_events(struct watcher *w);
void watcher_check_folders_later(struct watcher *w, uint64_t delay_ms);
void watcher_after_source(struct watcher *w); /* called after every call of the source */

/* watcher_events.c */
struct source_events watcher_source_events(struct watcher *w);
