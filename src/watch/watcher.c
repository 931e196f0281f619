/* SPDX-License-Identifier: Apache-2.0
 *
 * Candidates, claims and the way to stop.
 */
#include "watch/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/childkeeper.h"
#include "ship/claim.h"
#include "ship/tenant.h"
#include "watch/candidate.h"
#include "watch/idset.h"
#include "watch/ignored.h"
#include "watch/repository.h"
#include "watch/room.h"
#include "watch/sniffer.h"
#include "watch/worker_pool.h"

enum {
    LEFT_NAMED_MAX = 100,      /* of what is left at the end, in the log by name */
    CLAIMS_LOW = 256,          /* files that found no room are looked for again when so many claims are left */
    FOLLOW_DELAY_MS = 200,     /* a file that is complete by then needs no following */
    FOLLOW_WAIT_MAX_MS = 5000, /* between looks at a file that stays open; its close is an event of its own */
    FOLLOW_LOOK_COST_MS = 10,  /* and longer where many are open: no more than 100 looks a second in all */
    ROOT_RETRY_MS = 1000,      /* between tries to find a root that is gone */
    MOUNTS_DELAY_MS = 300,     /* many mounts come at once */
    RESCAN_MIN_MS = 2000,      /* between scans for lost events */
    FOLLOW_SIZE_MIN = 8 << 20, /* bytes */
    UNREADABLE_RETRY_MS = 60 * 1000,
    NETWORK_SCAN_MIN_MS = 10 * 1000,
    REPOSITORY_REST_MS = 60 * 1000,
    SNIFFING_MAX = 1024,           /* candidates of any name in a folder; beyond that, it is scanned again */
    ANY_REST_MS = 2000,            /* a writer may be about to rename a file of any name */
    TEMPORARY_REST_MS = 15 * 1000, /* all the more one with such a name */
    LOOKS_AT_ONCE = 64,
    BACKLOG_SCAN_MS = 500,
    TROUBLE_RETRY_MS = 1000,
    TROUBLES_ONCE = 5 /* tries that --once makes before it says that something was not examined */
};

/* Who uses a spool. */
struct spool_use {
    struct spool *spool;
    bool by_root, forget;
};

struct watcher {
    const struct watcher_config *config;
    uv_loop_t loop;
    uv_poll_t notify;
    uv_poll_t mounts;
    int mounts_fd; /* of /proc/self/mountinfo; -1: mounts that come later are not noticed */
    uv_timer_t settle_timer, scan_timer, rescan_timer, check_timer, grace_timer;
    uv_signal_t term, interrupt;
    struct source *source;
    struct pool *pool;
    struct childkeeper armer, storecheck;
    struct spool **spools; /* owned */
    size_t spool_count;
    struct candidates candidates;
    const char *left_root; /* whose claims of an earlier run are being read */
    struct idset done;     /* in place, and with the pool or through: not to be looked at again in this run */
    bool backlog;          /* files were left where they are: scan again when claims are through */
    bool events_lost;      /* scan again, but not at once */
    uint64_t rescanned_ms;
    bool stopping, stopped;
    unsigned left; /* claims and files that are not shipped when the watch ends: for the next run */
    unsigned unreadable;
    unsigned unexamined;    /* files and folders that --once has given up examining */
    bool rescan;            /* a scan is due, as a folder could not be read or files were left: --once waits for it */
    unsigned scan_troubles; /* scans in a row that met an error that may pass */
    struct ignored ignored;
    struct sniffer sniffer;
    unsigned sniffing; /* candidates of any name */
    bool sniff_again;  /* there were too many: scan again when they are through */
    struct err locked; /* why this watch may not run */
};

static void sniffed_all(struct watcher *w);

static void drop_candidate(struct watcher *w, struct candidate *c)
{
    if (c->any) {
        c->folder->sniffing--;
        if (--w->sniffing == 0 && w->sniff_again)
            sniffed_all(w);
    }
    if (c->following)
        pool_unfollow(w->pool, c->id);
    candidate_drop(&w->candidates, c);
}

static void check_stop(struct watcher *w);
static void open_root_state(void *ctx, struct folder *f);

/* Claims */

static struct spool *keep_spool(struct watcher *w, struct spool *s)
{
    struct spool **spools = reallocarray(w->spools, w->spool_count + 1, sizeof(struct spool *));

    if (!spools) {
        spool_close(s);
        return NULL;
    }
    w->spools = spools;
    return w->spools[w->spool_count++] = s;
}

static void on_left_claim(void *ctx, struct claim *c)
{
    struct watcher *w = ctx;

    /* What lies in place may be growing still: the scan finds it, and comes to the same id. */
    if (c->in_place) {
        if (access(c->path, F_OK) < 0)
            spool_drop(c->spool, c);
        claim_free(c);
        return;
    }
    c->key = tenant_of(w->config->layout, w->left_root, c->path, c->owner);
    if (pool_add(w->pool, c) < 0)
        claim_free(c);
}

/* The folder's own state folder, or the one that was given for all. */
static void open_state(struct watcher *w, struct folder *f, const char *name)
{
    const char *given = w->config->state;
    struct spool *s = NULL;
    struct err e = {0};
    int fd = given ? AT_FDCWD : source_open(f), r;

    r = spool_open(fd, given ? given : name, true, &s, &e);
    f->spool_later = r < 0 && r != -FAULT_LOCKED && fault_passes(r);
    if (r == -FAULT_LOCKED) {
        w->locked = e; /* two watches would take things from under each other */
    } else if (r < 0) {
        log_event(EVENT_READ_ONLY_FOLDER, LOG_STR("dir", f->path), LOG_STR("error", e.msg));
    } else if ((f->spool = keep_spool(w, s))) {
        w->left_root = f->root->path;
        spool_each(f->spool, on_left_claim, w);
    }
    if (fd >= 0)
        close(fd);
}

static void say_room(const struct watcher *w, const struct folder *f)
{
    struct volume v;
    struct room room;

    if (!f->spool || volume_get(spool_fd(f->spool), &v) < 0)
        return;
    room = room_get(&w->config->retention, spool_fd(f->spool), &v, 0);
    if (room.by != ROOM_UNLIMITED)
        log_event(EVENT_ROOM, LOG_STR("dir", f->path), LOG_UINT("room", room.bytes),
                  LOG_STR("limit", room_by_name(room.by)), LOG_UINT("of", room.of));
}

static void open_root_state(void *ctx, struct folder *f)
{
    struct watcher *w = ctx;

    if (w->config->state && w->spool_count > 0) {
        f->spool = w->spools[0];
        return;
    }
    open_state(w, f, STATE_NAME);
    say_room(w, f);
}

/* The spool a file is claimed into: the root's, or on another file system below it one beside the file. */
static struct spool *spool_for(struct watcher *w, struct folder *f, const struct identity *file)
{
    struct spool *s;
    struct stat st;

    if (!f->root->spool && f->root->spool_later)
        open_root_state(w, f->root);
    s = f->root->spool;
    if (!s || (fstat(spool_fd(s), &st) == 0 && st.st_dev == file->dev) || w->config->state)
        return s;
    if (!f->spool)
        open_state(w, f, STATE_NAME);
    return f->spool ? f->spool : s;
}

static struct fair_key key_of(const struct watcher *w, const struct folder *f, const char *path, uint64_t owner)
{
    return tenant_of(w->config->layout, f->root->path, path, owner);
}

/* The bytes a file begins with. What can't be read is left to the worker, which says so. */
static enum content content_at(int fd)
{
    unsigned char head[CONTENT_HEAD_MAX];
    ssize_t n = file_pread(fd, head, sizeof(head), 0);

    return n > 0 ? content_of(head, (size_t)n) : CONTENT_OTHER;
}

static struct claim *make_claim(struct watcher *w, const struct candidate *c, const struct identity *file,
                                enum content content)
{
    struct claim *claim = calloc(1, sizeof(*claim));

    if (!claim)
        return NULL;
    memcpy(claim->id, file->id, sizeof(claim->id));
    claim->kind = kind_of(c->name, content);
    claim->name = strdup(c->name);
    claim->cause = strdup(kind_cause(claim->kind, c->name));
    if (asprintf(&claim->path, "%s/%s", c->folder->path, c->name) < 0)
        claim->path = NULL;
    claim->time_ns = file->birth_ns ? file->birth_ns : file->mtime_ns;
    claim->found_ns = c->found_ns;
    claim->size = file->size;
    claim->disk = file->disk;
    claim->owner = file->uid;
    claim->key = key_of(w, c->folder, claim->path ? claim->path : c->name, file->uid);
    claim->in_place = true;
    claim->spool = spool_for(w, c->folder, file);
    if (!claim->name || !claim->cause || !claim->path) {
        claim_free(claim);
        return NULL;
    }
    return claim;
}

/* Moves the evidence out of the application's way, as far as that can be done. Negative if it isn't there any more, or,
 * with patient, if what prevents the move may pass. */
static int settle_claim(struct watcher *w, struct claim *claim, int dirfd, const char *name, bool patient)
{
    struct err e = {0};
    int r;

    claim->settled_ns = clock_wall_ns();
    if (claim->spool && spool_add(claim->spool, claim, &e) < 0) {
        log_event(EVENT_STATE_LOST, LOG_STR("path", claim->path), LOG_STR("error", e.msg));
        spool_drop(claim->spool, claim); /* what there was room for */
        claim->spool = NULL;
    }
    claim->erase = faccessat(dirfd, ".", W_OK, AT_EACCESS) == 0;
    if (!claim->spool)
        return 0;
    r = spool_move_in(claim->spool, claim, dirfd, name, w->config->who->machine, &e);
    if (r == -ESTALE || r == -ENOENT || (patient && fault_passes(r))) {
        spool_drop(claim->spool, claim);
        return r;
    }
    if (r == 0)
        log_event(EVENT_CLAIMED, LOG_STR("path", claim->path), LOG_STR("id", claim->id),
                  LOG_UINT("bytes", claim->size));
    else if (!idset_has(&w->done, claim->id))
        log_event(EVENT_READ_ONLY_FOLDER, LOG_STR("dir", claim->path), LOG_STR("error", e.msg));
    return 0;
}

/* Not its fault: it is examined again, and --once says in the end that it was not. */
static void retry_candidate(struct watcher *w, struct candidate *c, int error)
{
    const struct fault_info *fault = fault_find(error);

    if (c->troubles++ == 0)
        log_event(EVENT_NOT_EXAMINED, LOG_STR("dir", c->folder->path), LOG_STR("name", c->name),
                  LOG_STR("fault", fault->name), LOG_STR("error", strerror(-error)),
                  LOG_UINT("retry_in_s", TROUBLE_RETRY_MS / 1000));
    candidate_schedule(&w->candidates, c, clock_mono_ms() + TROUBLE_RETRY_MS);
    if (w->config->once && c->troubles >= TROUBLES_ONCE) {
        w->unexamined++;
        drop_candidate(w, c);
    }
}

enum chunk { CHUNK_NONE, CHUNK_LIVE, CHUNK_LEFT };

/* Whether a recording is a chunk of a JVM's repository, and the JVM may still need it. */
static enum chunk chunk_of(const struct candidate *c, int dirfd, enum content content)
{
    pid_t pid;

    if ((content != CONTENT_RECORDING && content != CONTENT_RECORDING_BEGUN) ||
        !repository_pid(text_base_name(c->folder->path), &pid))
        return CHUNK_NONE;
    return repository_is_live(dirfd, pid, REPOSITORY_REST_MS) ? CHUNK_LIVE : CHUNK_LEFT;
}

/* Whether a complete file is what its name says; what is not is dropped, or looked at again later. */
static bool is_evidence(struct watcher *w, struct candidate *c, int dirfd, enum content content)
{
    enum chunk chunk = chunk_of(c, dirfd, content);

    if (c->following || source_interest(w->source, c->folder, c->name) == INTEREST_ORDER ||
        (content == CONTENT_OTHER && kind_name_suffices(c->name)))
        return true;
    if (chunk == CHUNK_LIVE) {
        candidate_schedule(&w->candidates, c, clock_mono_ms() + REPOSITORY_REST_MS);
        return false;
    }
    /* Of a JVM that is gone also the last chunk, which nobody will end any more. */
    if (kind_is_evidence(content) || chunk == CHUNK_LEFT)
        return true;
    ignored_add(&w->ignored, c->folder->path, c->name);
    drop_candidate(w, c);
    return false;
}

/* A complete file becomes a claim; one that was followed is already with the pool. */
static void claim_candidate(struct watcher *w, struct candidate *c, const struct settle_look *look, int dirfd)
{
    enum content content = content_at(look->fd);
    struct claim *claim;
    int r;

    if (idset_has(&w->done, look->identity.id)) {
        drop_candidate(w, c);
        return;
    }
    if (!is_evidence(w, c, dirfd, content))
        return;
    if (!(claim = make_claim(w, c, &look->identity, content))) {
        retry_candidate(w, c, -ENOMEM);
        return;
    }
    if (!c->following && !pool_has_room(w->pool, &claim->key)) {
        w->backlog = true;
        claim_free(claim);
        drop_candidate(w, c);
        return;
    }
    if ((r = settle_claim(w, claim, dirfd, c->name, c->troubles + 1 < TROUBLES_ONCE)) < 0) {
        claim_free(claim);
        if (r != -ENOENT && r != -ESTALE)
            retry_candidate(w, c, r);
        else
            drop_candidate(w, c); /* an event will say what is there now */
        return;
    }
    if (claim->in_place) {
        idset_add(&w->done, claim->id);
        log_event(EVENT_FOUND, LOG_STR("path", claim->path), LOG_UINT("bytes", claim->size),
                  LOG_STR("kind", claim->kind->name));
    }
    if (c->following && pool_complete(w->pool, claim)) {
        c->following = false;
        claim_free(claim);
    } else if (pool_add(w->pool, claim) < 0) {
        claim_free(claim);
    }
    drop_candidate(w, c);
}

/* A large dump on its way: begin to ship it while it grows. */
static void follow_candidate(struct watcher *w, struct candidate *c, struct settle_look *look)
{
    struct claim *claim;
    struct err e;
    int r;

    if (!c->may_follow || c->following || !look->identity.by_birth || look->identity.size < FOLLOW_SIZE_MIN ||
        !pool_may_follow(w->pool))
        return;
    if (!(claim = make_claim(w, c, &look->identity, content_at(look->fd))))
        return;
    claim->size = 0;
    if (!claim->spool || spool_add(claim->spool, claim, &e) < 0 || (r = pool_follow(w->pool, claim, look->fd)) < 0) {
        claim_free(claim);
        return;
    }
    look->fd = -1;
    if (r > 0)
        return;
    c->following = true;
    memcpy(c->id, look->identity.id, sizeof(c->id));
    log_event(EVENT_FOLLOWING, LOG_STR("path", claim->path), LOG_STR("id", claim->id));
}

static void say_unreadable(struct watcher *w, struct candidate *c, const struct identity *file)
{
    char hint[160];

    if (c->said_unreadable)
        return;
    w->unreadable++;
    c->said_unreadable = true;
    snprintf(hint, sizeof(hint), "mode %04o, owned by uid %u, and this is uid %u: run salvage as uid %u, or as root",
             (unsigned)(file->mode & 07777), (unsigned)file->uid, (unsigned)geteuid(), (unsigned)file->uid);
    log_event(EVENT_UNREADABLE, LOG_STR("dir", c->folder->path), LOG_STR("name", c->name), LOG_UINT("uid", file->uid),
              LOG_STR("error", hint));
}

static bool ends_as_temporary(const char *name)
{
    return text_ends(name, ".tmp") || text_ends(name, ".part") || text_ends(name, ".partial") || text_ends(name, "~");
}

/* Whether a file of any name is to be taken: it begins as evidence does, and rests. */
static bool sniff(struct watcher *w, struct candidate *c, const struct settle_look *look, uint64_t now_ms)
{
    const struct identity *file = &look->identity;
    int64_t rest_ms = ends_as_temporary(c->name) ? TEMPORARY_REST_MS : ANY_REST_MS;
    int64_t age_ms = (clock_wall_ns() - file->ctime_ns) / 1000000;
    bool hurry = w->config->once || w->stopping;
    enum content content;
    uint64_t wait_ms;

    if (!c->sniffed) {
        if (sniffer_knows(&w->sniffer, file->dev, file->ino, file->mtime_ns)) {
            drop_candidate(w, c);
            return false;
        }
        if (!hurry && (wait_ms = sniffer_wait(&w->sniffer, file->uid, now_ms)) > 0) {
            candidate_schedule(&w->candidates, c, now_ms + wait_ms);
            return false;
        }
        content = content_at(look->fd);
        if (!kind_is_evidence(content)) {
            sniffer_learn(&w->sniffer, file->dev, file->ino, file->mtime_ns);
            if (look->state == SETTLE_COMPLETE)
                ignored_add(&w->ignored, c->folder->path, c->name);
            drop_candidate(w, c); /* what is still written is closed some time: an event */
            return false;
        }
        c->sniffed = true;
        c->may_follow = c->fresh && kind_of(c->name, content)->follow && !c->folder->network && !w->config->once;
    }
    if (look->state == SETTLE_COMPLETE && !w->stopping && age_ms >= 0 && age_ms < rest_ms) {
        candidate_schedule(&w->candidates, c, now_ms + (uint64_t)(rest_ms - age_ms));
        return false;
    }
    return true;
}

/* When to look again at a file that is open for writing: soon at first, as it may be worth following. */
static uint64_t next_follow_look(const struct watcher *w, struct candidate *c)
{
    uint64_t most = w->candidates.scheduled * FOLLOW_LOOK_COST_MS, wait = FOLLOW_DELAY_MS;

    if (most < FOLLOW_WAIT_MAX_MS)
        most = FOLLOW_WAIT_MAX_MS;
    for (unsigned i = 0; i < c->waits && wait < most; i++)
        wait *= 2;
    c->waits++;
    return wait < most ? wait : most;
}

static void look_at(struct watcher *w, struct candidate *c)
{
    CLEANUP_FD int dirfd = source_open(c->folder);
    struct settle_look look = {.fd = -1};
    uint64_t now = clock_mono_ms();

    if (dirfd >= 0)
        settle_look(&c->settle, dirfd, c->name, w->config->who->machine, c->folder->network, w->config->settle_ms, now,
                    &look);
    else
        look = (struct settle_look){
            .state = fault_passes(dirfd) ? SETTLE_TROUBLE : SETTLE_NO_EVIDENCE, .error = dirfd, .fd = -1};
    if (look.state != SETTLE_TROUBLE && look.state != SETTLE_COMPLETE)
        c->troubles = 0;
    candidate_schedule(&w->candidates, c, 0);
    switch (look.state) {
    case SETTLE_NO_EVIDENCE:
        drop_candidate(w, c);
        break;
    case SETTLE_TROUBLE:
        retry_candidate(w, c, look.error);
        break;
    case SETTLE_UNREADABLE:
        if (c->any) {
            drop_candidate(w, c);
            break;
        }
        say_unreadable(w, c, &look.identity);
        candidate_schedule(&w->candidates, c, now + UNREADABLE_RETRY_MS);
        break;
    case SETTLE_RESTING:
        candidate_schedule(&w->candidates, c, now + look.wait_ms + 1);
        break;
    case SETTLE_WRITTEN:
        if (c->any && !sniff(w, c, &look, now))
            break;
        follow_candidate(w, c, &look);
        if (!c->following) /* also what can't be followed: no close is seen of a file that was linked here while open */
            candidate_schedule(&w->candidates, c, now + next_follow_look(w, c));
        break;
    case SETTLE_COMPLETE:
        if (!c->any || sniff(w, c, &look, now))
            claim_candidate(w, c, &look, dirfd);
        break;
    }
    if (look.fd >= 0)
        close(look.fd);
}

static void on_settle_timer(uv_timer_t *timer);
static void on_scan_timer(uv_timer_t *timer);

static void arm_settle_timer(struct watcher *w)
{
    uint64_t next, now = clock_mono_ms();

    if (candidate_due(&w->candidates, now, &next))
        next = now;
    if (next == UINT64_MAX) {
        uv_timer_stop(&w->settle_timer);
        return;
    }
    uv_update_time(&w->loop);
    uv_timer_start(&w->settle_timer, on_settle_timer, next > now ? next - now : 1, 0);
}

static void on_settle_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;
    uint64_t next, now = clock_mono_ms();
    struct candidate *c;

    for (int i = 0; i < LOOKS_AT_ONCE && (c = candidate_due(&w->candidates, now, &next)); i++)
        look_at(w, c);
    arm_settle_timer(w);
    check_stop(w);
}

/* What the source sees */

static uint64_t network_period_ms(const struct watcher *w)
{
    return source_has_network(w->source) ? w->config->settle_ms * 2 + NETWORK_SCAN_MIN_MS : 0;
}

/* All folders. When one could not be read, again soon; --once gives up after a few times. */
static void scan(struct watcher *w)
{
    w->rescan = false;
    source_scan(w->source);
    if (!w->rescan) {
        w->scan_troubles = 0;
    } else if (++w->scan_troubles >= TROUBLES_ONCE && w->config->once) {
        w->rescan = false;
        w->unexamined++;
    }
}

static bool is_known(const struct watcher *w, const struct folder *f, const char *name)
{
    CLEANUP_FD int dirfd = w->sniffer.known.count > 0 ? source_open(f) : -1;
    struct stat st;

    return dirfd >= 0 && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           sniffer_knows(&w->sniffer, st.st_dev, st.st_ino,
                         (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
}

/* A candidate of any name; NULL where it is not worth one, or has to wait for the next scan. */
static struct candidate *add_any(struct watcher *w, struct folder *f, const char *name, enum sighting what)
{
    struct candidate *c;

    if (what == SIGHT_SCANNED && (w->stopping || is_known(w, f, name)))
        return NULL;
    if (f->sniffing >= SNIFFING_MAX && !w->config->once) {
        w->sniff_again = true;
        return NULL;
    }
    if (!(c = candidate_add(&w->candidates, f, name)))
        return NULL;
    c->any = true;
    f->sniffing++;
    w->sniffing++;
    return c;
}

/* When what was there at a scan is due: one after the other, so that nothing is opened for want of a turn. */
static uint64_t next_scanned(struct folder *f)
{
    uint64_t now = clock_mono_ms();

    f->sniff_ms = (f->sniff_ms > now ? f->sniff_ms : now) + 1000 / SNIFFER_RATE;
    return f->sniff_ms;
}

static void on_any(struct watcher *w, struct folder *f, struct candidate *c, enum sighting what)
{
    c->fresh |= what != SIGHT_SCANNED;
    if (what == SIGHT_CLOSED)
        c->settle = (struct settle){.closed = true};
    if (what == SIGHT_CREATED && !w->stopping)
        candidate_schedule(&w->candidates, c, clock_mono_ms() + FOLLOW_DELAY_MS);
    else if (what == SIGHT_SCANNED && !w->config->once)
        candidate_schedule(&w->candidates, c, next_scanned(f));
    else
        look_at(w, c);
}

static void sniffed_all(struct watcher *w)
{
    w->sniff_again = false;
    if (!w->stopping)
        uv_timer_start(&w->scan_timer, on_scan_timer, BACKLOG_SCAN_MS, network_period_ms(w));
}

static void on_file(void *ctx, struct folder *f, const char *name, enum sighting what)
{
    struct watcher *w = ctx;
    struct candidate *c = candidate_find(&w->candidates, f, name);

    if (what == SIGHT_REMOVED) {
        if (c)
            drop_candidate(w, c);
        return;
    }
    if (source_interest(w->source, f, name) == INTEREST_ANY) {
        if (c || (c = add_any(w, f, name, what)))
            on_any(w, f, c, what);
        return;
    }
    if (!c && (w->stopping || !(c = candidate_add(&w->candidates, f, name))))
        return;
    if (what == SIGHT_CREATED) {
        c->waits = 0;
        c->may_follow = kind_of_name(name)->follow && !f->network && !w->config->once;
        /* Also for what comes without a close: a hard link. */
        candidate_schedule(&w->candidates, c, clock_mono_ms() + FOLLOW_DELAY_MS);
        return;
    }
    if (what == SIGHT_CLOSED)
        c->settle = (struct settle){.closed = true};
    look_at(w, c);
}

static void on_state_folder(void *ctx, struct folder *f, const char *name)
{
    struct watcher *w = ctx;

    /* A root's own is open already; one deeper down was made where a file system begins below a root. */
    if (f != f->root && !f->spool && !w->config->state && !w->stopping)
        open_state(w, f, name);
}

static void on_state_gone(void *ctx, struct folder *f)
{
    const struct watcher *w = ctx;

    if (w->config->state)
        return;
    f->spool = NULL; /* closed when nothing of its claims is left, and made anew for the next one */
    f->spool_later = true;
}

static void on_network(void *ctx, const struct folder *f, const char *filesystem)
{
    (void)ctx;
    log_event(EVENT_NETWORK_FOLDER, LOG_STR("dir", f->path), LOG_STR("filesystem", filesystem));
}

static void on_rescan_timer(uv_timer_t *timer);

static void on_overflow(void *ctx)
{
    struct watcher *w = ctx;

    /* Whoever makes files without end makes this happen without end, too. */
    if (!w->events_lost)
        log_event(EVENT_OVERFLOW);
    w->events_lost = true;
}

/* For events that were lost. */
static void scan_for_lost_events(struct watcher *w)
{
    uint64_t now = clock_mono_ms(), next = w->rescanned_ms ? w->rescanned_ms + RESCAN_MIN_MS : 0;

    if (!w->events_lost || w->stopped)
        return;
    if (now < next) {
        uv_timer_start(&w->rescan_timer, on_rescan_timer, next - now, 0);
        return;
    }
    w->events_lost = false;
    scan(w);
    w->rescanned_ms = clock_mono_ms();
}

static void on_rescan_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;

    scan_for_lost_events(w);
    arm_settle_timer(w);
    check_stop(w);
}

static void on_watch_limit(void *ctx, const char *path, int error)
{
    (void)ctx;
    log_event(EVENT_WATCH_LIMIT, LOG_STR("dir", path), LOG_STR("error", strerror(error)));
}

static void on_gone(void *ctx, const struct folder *f)
{
    struct watcher *w = ctx;
    CLEANUP_FREE struct candidate **list = NULL;
    size_t count = candidates_of(&w->candidates, f, &list);

    if (f == f->root)
        log_event(EVENT_FOLDER_GONE, LOG_STR("dir", f->path));
    for (size_t i = 0; i < count; i++)
        drop_candidate(w, list[i]);
}

static void on_trouble(void *ctx, const struct folder *f, int error)
{
    struct watcher *w = ctx;

    if (!w->rescan && w->scan_troubles == 0)
        log_event(EVENT_NOT_EXAMINED, LOG_STR("dir", f->path), LOG_STR("fault", fault_find(error)->name),
                  LOG_STR("error", strerror(-error)), LOG_UINT("retry_in_s", TROUBLE_RETRY_MS / 1000));
    w->rescan = true;
    if (!w->stopping)
        uv_timer_start(&w->scan_timer, on_scan_timer, TROUBLE_RETRY_MS, network_period_ms(w));
}

/* Spools of volumes below a root are closed when nothing of theirs is left: an open folder keeps a mount busy. */
static void find_spool_user(void *ctx, struct folder *f)
{
    struct spool_use *use = ctx;

    if (f->spool != use->spool)
        return;
    use->by_root |= f->root == f;
    if (use->forget)
        f->spool = NULL;
}

static void release_spools(struct watcher *w)
{
    for (size_t i = 0; i < w->spool_count && !w->config->state;) {
        struct spool_use use = {.spool = w->spools[i]};

        source_each(w->source, find_spool_user, &use);
        if (use.by_root || pool_uses(w->pool, use.spool)) {
            i++;
            continue;
        }
        use.forget = true;
        source_each(w->source, find_spool_user, &use);
        spool_close(use.spool);
        w->spools[i] = w->spools[--w->spool_count];
    }
}

static void on_check_timer(uv_timer_t *timer);

/* Mounts came or went, or a root is gone: the folders are compared with what lies under their paths. */
static void check_folders(struct watcher *w, uint64_t delay_ms)
{
    if (!w->stopped && !uv_is_active((uv_handle_t *)&w->check_timer))
        uv_timer_start(&w->check_timer, on_check_timer, delay_ms, 0);
}

/* After anything that the source has done. */
static void settle_source(struct watcher *w)
{
    if (source_misses(w->source))
        check_folders(w, ROOT_RETRY_MS);
    if (w->stopped)
        return;
    release_spools(w);
    if (source_has_network(w->source) && !w->stopping && !uv_is_active((uv_handle_t *)&w->scan_timer))
        uv_timer_start(&w->scan_timer, on_scan_timer, network_period_ms(w), network_period_ms(w));
}

static void on_check_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;

    source_check(w->source);
    settle_source(w);
    arm_settle_timer(w);
    check_stop(w);
}

static void on_mounts(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    check_folders(poll->data, MOUNTS_DELAY_MS);
}

static bool has_state(const struct folder *f)
{
    CLEANUP_FD int fd = source_open(f);

    return fd >= 0 && faccessat(fd, STATE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* It may be a mount point whose volume has gone for a while: where the state folder is not there yet, it is made with
 * the first claim only, as FUSE (fusermount) mounts on nothing but an empty folder. */
static void on_back(void *ctx, struct folder *f)
{
    struct watcher *w = ctx;

    log_event(EVENT_FOLDER_BACK, LOG_STR("dir", f->path));
    f->spool = NULL;
    f->spool_later = !w->config->state && !has_state(f);
    if (!f->spool_later)
        open_root_state(w, f);
}

static void on_notify(uv_poll_t *poll, int status, int events)
{
    struct watcher *w = poll->data;

    (void)status;
    (void)events;
    source_read(w->source);
    scan_for_lost_events(w);
    settle_source(w);
    arm_settle_timer(w);
    check_stop(w);
}

static void on_scan_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;

    scan(w);
    arm_settle_timer(w);
    check_stop(w);
}

static void on_claim_ended(void *ctx, const struct claim *c, enum pool_outcome outcome)
{
    struct watcher *w = ctx;

    if (!w->stopped)
        release_spools(w);
    if (outcome == POOL_DROPPED) {
        idset_remove(&w->done, c->id);
        w->backlog = true; /* it may be there still, changed */
    }
    if (w->backlog && !w->stopping && pool_count(w->pool) <= CLAIMS_LOW) {
        w->backlog = false;
        w->rescan = true; /* the claims that are left may be through before it */
        uv_timer_start(&w->scan_timer, on_scan_timer, BACKLOG_SCAN_MS, network_period_ms(w));
    }
    check_stop(w);
}

/* Stopping */

/* Then the loop ends. */
static void close_handles(struct watcher *w)
{
    pool_close(w->pool);
    childkeeper_close(&w->armer);
    childkeeper_close(&w->storecheck);
    uv_close((uv_handle_t *)&w->notify, NULL);
    uv_close((uv_handle_t *)&w->settle_timer, NULL);
    uv_close((uv_handle_t *)&w->scan_timer, NULL);
    uv_close((uv_handle_t *)&w->rescan_timer, NULL);
    uv_close((uv_handle_t *)&w->check_timer, NULL);
    if (w->mounts_fd >= 0)
        uv_close((uv_handle_t *)&w->mounts, NULL);
    uv_close((uv_handle_t *)&w->grace_timer, NULL);
    uv_close((uv_handle_t *)&w->term, NULL);
    uv_close((uv_handle_t *)&w->interrupt, NULL);
}

struct left {
    unsigned count, named;
};

/* One that is followed is with the pool. */
static void log_left_candidate(void *ctx, const struct candidate *c)
{
    struct left *left = ctx;
    char path[PATH_MAX];

    if (c->following)
        return;
    left->count++;
    if (left->named >= LEFT_NAMED_MAX)
        return;
    left->named++;
    snprintf(path, sizeof(path), "%s/%s", c->folder->path, c->name);
    log_event(EVENT_NOT_SHIPPED, LOG_STR("path", path), LOG_STR("fault", "not-whole"));
}

/* What the end of the watch may cost, by name: a folder that goes with its pod takes it along. */
static void log_left(struct watcher *w)
{
    struct left left = {.count = pool_count(w->pool)};

    left.named = pool_log_left(w->pool, LEFT_NAMED_MAX);
    candidates_each_settling(&w->candidates, log_left_candidate, &left);
    if (left.count > left.named || w->backlog)
        log_event(EVENT_NOT_SHIPPED, LOG_UINT("more", left.count - left.named),
                  LOG_STR("fault", w->backlog ? "more files than can be claimed at once" : NULL));
    w->left = left.count;
}

static void stop(struct watcher *w)
{
    if (w->stopped)
        return;
    w->stopped = true;
    log_left(w);
    log_event(EVENT_STOPPED, LOG_UINT("left", w->left), LOG_UINT("failed", pool_failed(w->pool)));
    close_handles(w);
}

static void on_grace_end(uv_timer_t *timer)
{
    stop(timer->data);
}

/* Whether there is still something that time can finish: claims, and files that are about to become claims. */
static bool something_to_wait_for(struct watcher *w)
{
    uint64_t within = w->config->once ? UINT64_MAX / 2 : uv_timer_get_due_in(&w->grace_timer);

    return (pool_count(w->pool) > 0 && pool_hopeful(w->pool, within)) || candidates_settling(&w->candidates) ||
           w->events_lost || (w->config->once && (w->backlog || w->rescan));
}

static void check_stop(struct watcher *w)
{
    if (!w->stopped && (w->stopping || w->config->once) && !something_to_wait_for(w))
        stop(w);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct watcher *w = signal->data;

    (void)number;
    if (w->stopping) {
        stop(w);
        return;
    }
    /* What was closed a moment ago may still be in the queue, and what inotify can't tell is told by the scan. */
    source_read(w->source);
    scan(w);
    w->stopping = true;
    log_event(EVENT_STOPPING, LOG_UINT("left", pool_count(w->pool)), LOG_UINT("grace_s", w->config->grace_ms / 1000));
    uv_timer_stop(&w->scan_timer);
    uv_update_time(&w->loop);
    uv_timer_start(&w->grace_timer, on_grace_end, w->config->grace_ms, 0);
    arm_settle_timer(w);
    check_stop(w);
}

/* Starting */

static void start_handles(struct watcher *w)
{
    uv_poll_init(&w->loop, &w->notify, source_fd(w->source));
    uv_timer_init(&w->loop, &w->settle_timer);
    uv_timer_init(&w->loop, &w->scan_timer);
    uv_timer_init(&w->loop, &w->rescan_timer);
    uv_timer_init(&w->loop, &w->check_timer);
    uv_timer_init(&w->loop, &w->grace_timer);
    uv_signal_init(&w->loop, &w->term);
    uv_signal_init(&w->loop, &w->interrupt);
    w->notify.data = w->settle_timer.data = w->scan_timer.data = w->rescan_timer.data = w->check_timer.data =
        w->grace_timer.data = w;
    w->term.data = w->interrupt.data = w;
    uv_poll_start(&w->notify, UV_READABLE, on_notify);
    /* The kernel says by POLLPRI that the mounts have changed (proc(5)). */
    w->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (w->mounts_fd >= 0) {
        uv_poll_init(&w->loop, &w->mounts, w->mounts_fd);
        w->mounts.data = w;
        uv_poll_start(&w->mounts, UV_PRIORITIZED, on_mounts);
    }
    uv_signal_start(&w->term, on_signal, SIGTERM);
    uv_signal_start(&w->interrupt, on_signal, SIGINT);
    if (source_has_network(w->source))
        uv_timer_start(&w->scan_timer, on_scan_timer, network_period_ms(w), network_period_ms(w));
}

static int start(struct watcher *w, struct err *e)
{
    const struct source_events events = {w,           on_file,        on_state_folder, on_state_gone, on_network,
                                         on_overflow, on_watch_limit, on_gone,         on_back,       on_trouble};
    const struct pool_events ended = {w, on_claim_ended};
    const struct pool_config pool = {.worker_args = w->config->worker_args,
                                     .plan = w->config->plan,
                                     .machine = w->config->who->machine,
                                     .retention = w->config->retention,
                                     .stuck_ms = w->config->stuck_ms,
                                     .once = w->config->once};
    int r = source_new(&w->config->source, &events, &w->source, e);

    if (r < 0)
        return r;
    if (pool_new(&w->loop, &pool, &ended, &w->pool) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    start_handles(w);
    source_each_root(w->source, open_root_state, w);
    if (w->locked.msg[0]) {
        close_handles(w);
        uv_run(&w->loop, UV_RUN_DEFAULT);
        return err_set(e, -FAULT_LOCKED, "%s", w->locked.msg);
    }
    log_event(EVENT_STARTED, LOG_UINT("dirs", w->config->source.dir_count), LOG_STR("to", w->config->plan->store));
    scan(w);
    check_folders(w, MOUNTS_DELAY_MS); /* a mount may have come while the first look was under way */
    arm_settle_timer(w);
    /* After the scan: a dump that begins while a process is started would be seen too late to be followed. */
    if (w->config->armer_args)
        childkeeper_start(&w->armer, &CHILDKEEPER_ARMER, &w->loop, w->config->armer_args);
    if (w->config->check_args)
        childkeeper_start(&w->storecheck, &CHILDKEEPER_STORECHECK, &w->loop, w->config->check_args);
    check_stop(w);
    return 0;
}

static void watcher_done(struct watcher *w)
{
    if (w->mounts_fd >= 0)
        close(w->mounts_fd);
    candidates_done(&w->candidates);
    pool_free(w->pool);
    source_free(w->source);
    for (size_t i = 0; i < w->spool_count; i++)
        spool_close(w->spools[i]);
    free(w->spools);
    idset_done(&w->done);
    sniffer_done(&w->sniffer);
}

int watcher_run(const struct watcher_config *config, struct err *e)
{
    struct watcher w = {.config = config, .mounts_fd = -1};
    int r = uv_loop_init(&w.loop);

    if (r < 0)
        return err_set(e, r, "cannot start the loop: %s", strerror(-r));
    r = start(&w, e);
    if (r == 0) {
        uv_run(&w.loop, UV_RUN_DEFAULT);
        if (w.left > 0)
            r = config->once ? err_set(e, -FAULT_SOME, "%u left to ship", w.left)
                             : err_set(e, -FAULT_LATER, "%u left: the next run goes on with them", w.left);
        else if (pool_failed(w.pool) > 0 || (config->once && w.unreadable + w.unexamined > 0))
            r = err_set(e, -FAULT_SOME, "%u could not be shipped", pool_failed(w.pool) + w.unreadable + w.unexamined);
    }
    watcher_done(&w);
    uv_loop_close(&w.loop);
    return r;
}
