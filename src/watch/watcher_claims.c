/* SPDX-License-Identifier: Apache-2.0
 *
 * Complete files become claims, and growing heap dumps are followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/volume.h"
#include "place/identity.h"
#include "ship/claim.h"
#include "ship/crash_name.h"
#include "ship/spool.h"
#include "ship/tenant.h"
#include "watch/pod_folder.h"
#include "watch/repository.h"
#include "watch/watcher_internal.h"

enum {
    FOLLOW_SIZE_MIN = 8 << 20, /* bytes */
    REPOSITORY_REST_MS = 60 * 1000
};

/* The pod and the tenant of a claim by the root that it was found below: claim.json may say anything. */
int watcher_set_owner(const struct watcher *w, const struct folder *root, struct claim *claim)
{
    const struct claim_pod *pod = root->in_pod ? &root->in_pod->pod : NULL;

    if (claim_set_pod(claim, pod) < 0)
        return -ENOMEM;
    claim->key = pod ? tenant_of_pod(pod->namespace, root->path)
                     : tenant_of(w->config->layout, root->path, claim->path, claim->owner);
    return 0;
}

/* In the spool of cores the name says which crash a file is of. */
static int put_into_case(const struct watcher *w, const struct candidate *c, struct claim *claim)
{
    char plain[CRASH_FILE_NAME_MAX];
    enum crash_file which;
    struct crash_name n;

    if (!w->config->core_spool || !crash_name_read(c->name, &n, &which))
        return 0;
    crash_name_plain(&n, which, plain);
    free(claim->name);
    free(claim->cause);
    claim->name = strdup(plain);
    claim->cause = strdup(n.cause);
    claim->cause_given = true;
    claim->pid = n.pid;
    claim->time_ns = n.time_ms * 1000000;
    if (n.sensitive)
        claim->sensitive = strdup(SENSITIVE_PROGRAM);
    /* A crash log has words of its own. */
    if (which != CRASH_FILE_LOG && sigabbrev_np(n.signal) &&
        asprintf(&claim->detail, "SIG%s (%d)", sigabbrev_np(n.signal), n.signal) < 0)
        claim->detail = NULL;
    if (!claim->name || !claim->cause || (n.sensitive && !claim->sensitive))
        return -ENOMEM;
    /* Two pods may have processes of one number that die at one moment. */
    return identity_of_stream(w->config->who->machine, (pid_t)n.pid,
                              (int64_t)XXH3_64bits(c->folder->path, strlen(c->folder->path)), claim->time_ns,
                              claim->case_id);
}

static struct claim *make_claim(struct watcher *w, const struct candidate *c, const struct identity *file,
                                enum content content)
{
    struct claim *claim = malloc(sizeof(*claim));
    char *path;

    if (asprintf(&path, "%s/%s", c->folder->path, c->name) < 0)
        path = NULL;
    if (!claim || claim_of_file(claim, path, c->name, file, content) < 0) {
        if (!claim)
            free(path);
        free(claim);
        return NULL;
    }
    claim->found_ns = c->found_ns;
    if (watcher_set_owner(w, c->folder->root, claim) < 0 || put_into_case(w, c, claim) < 0) {
        claim_free(claim);
        return NULL;
    }
    claim->spool = watcher_spool_for(w, c->folder, file);
    return claim;
}

/* Moves the evidence into the spool, if that is possible. Negative if the file is no longer there; with patient also if
 * the obstacle may pass. */
static int move_to_spool(struct watcher *w, struct claim *claim, int dirfd, const char *name, bool patient)
{
    struct err e = {0};
    int r;

    claim->settled_ns = clock_wall_ns();
    if (claim->spool && spool_add(claim->spool, claim, &e) < 0) {
        log_event(EVENT_STATE_LOST, LOG_STR("path", claim->path), LOG_STR("error", e.msg));
        spool_drop(claim->spool, claim); /* the part that was written */
        claim->spool = NULL;
    }
    /* In a pod there is no path to erase it by later. */
    claim->erase = !claim->pod.namespace && faccessat(dirfd, ".", W_OK, AT_EACCESS) == 0;
    if (!claim->spool)
        return 0;
    r = spool_move_in(claim->spool, claim, &(struct spool_source){dirfd, name, w->config->who->machine}, &e);
    if (r == -ESTALE || r == -ENOENT || (patient && fault_is_transient(r))) {
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

/* After an error that may pass the file is examined again; --once gives up after some tries, and reports it. */
void watcher_retry_candidate(struct watcher *w, struct candidate *c, int error)
{
    const struct fault_info *fault = fault_find(error);

    if (c->errors++ == 0)
        log_event(EVENT_NOT_EXAMINED, LOG_STR("dir", c->folder->path), LOG_STR("name", c->name),
                  LOG_STR("fault", fault->name), LOG_STR("error", strerror(-error)),
                  LOG_UINT("retry_in_s", WATCHER_ERROR_RETRY_MS / 1000));
    candidate_schedule(&w->candidates, c, clock_mono_ms() + WATCHER_ERROR_RETRY_MS);
    if (w->config->once && c->errors >= WATCHER_ONCE_TRIES_MAX) {
        w->unexamined++;
        watcher_drop_candidate(w, c);
    }
}

enum chunk { CHUNK_NONE, CHUNK_LIVE, CHUNK_LEFT };

/* Whether a recording is a chunk of a JVM's repository that the JVM may still need. */
static enum chunk chunk_of(const struct candidate *c, int dirfd, enum content content)
{
    pid_t pid;

    if ((content != CONTENT_RECORDING && content != CONTENT_RECORDING_BEGUN) ||
        !repository_pid(text_base_name(c->folder->path), &pid))
        return CHUNK_NONE;
    return repository_is_live(dirfd, pid, REPOSITORY_REST_MS) ? CHUNK_LIVE : CHUNK_LEFT;
}

/* Whether a complete file is evidence; else the candidate is dropped, or polled again later. */
static bool is_evidence(struct watcher *w, struct candidate *c, int dirfd, enum content content)
{
    enum chunk chunk = chunk_of(c, dirfd, content);

    if (c->following || source_interest(w->source, c->folder, c->name) == INTEREST_BY_USER ||
        (content == CONTENT_OTHER && kind_name_suffices(c->name)))
        return true;
    if (chunk == CHUNK_LIVE) {
        candidate_schedule(&w->candidates, c, clock_mono_ms() + REPOSITORY_REST_MS);
        return false;
    }
    /* The JVM has ended: its last chunk counts, too, although it is unfinished. */
    if (kind_is_evidence(content) || chunk == CHUNK_LEFT)
        return true;
    ignored_add(&w->ignored, c->folder->path, c->name);
    watcher_drop_candidate(w, c);
    return false;
}

/* Of a file in a pod, whose folder vanishes with the pod, and has no path by which it could be opened later. An
 * emptyDir in memory is a mount of its own, which a descriptor would keep from being unmounted: there only the one that
 * is being shipped is open. */
static int hold_open(const struct watcher *w, const struct claim *claim, int fd)
{
    struct volume v;

    if (fd < 0 || !claim->pod.namespace || !pool_may_hold(w->pool, &claim->key) ||
        (!claim->in_place && volume_get(fd, &v) == 0 && v.own))
        return -1;
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

void watcher_add_to_pool(struct watcher *w, struct claim *claim, int fd)
{
    CLEANUP_FD int held = hold_open(w, claim, fd);
    int r;

    /* Without a path and a descriptor it could not be opened: it is found again when others are done. */
    if (held < 0 && claim->pod.namespace && claim->in_place) {
        idset_remove(&w->done, claim->id);
        w->backlog = true;
        if (claim->spool)
            spool_drop(claim->spool, claim);
        claim_free(claim);
        return;
    }
    r = held >= 0 ? pool_add_open(w->pool, claim, held) : pool_add(w->pool, claim);
    if (r < 0)
        claim_free(claim);
    else
        held = -1;
}

void watcher_claim_candidate(struct watcher *w, struct candidate *c, const struct settle_result *result, int dirfd)
{
    enum content content = kind_read_content(result->fd);
    struct claim *claim;
    int r;

    if (idset_has(&w->done, result->identity.id)) {
        watcher_drop_candidate(w, c);
        return;
    }
    if (!is_evidence(w, c, dirfd, content))
        return;
    if (!(claim = make_claim(w, c, &result->identity, content))) {
        watcher_retry_candidate(w, c, -ENOMEM);
        return;
    }
    if (!c->following && !pool_has_room(w->pool, &claim->key)) {
        w->backlog = true;
        claim_free(claim);
        watcher_drop_candidate(w, c);
        return;
    }
    if ((r = move_to_spool(w, claim, dirfd, c->name, c->errors + 1 < WATCHER_ONCE_TRIES_MAX)) < 0) {
        claim_free(claim);
        if (r != -ENOENT && r != -ESTALE)
            watcher_retry_candidate(w, c, r);
        else
            watcher_drop_candidate(w, c); /* an event will report the file that is there now */
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
    } else {
        watcher_add_to_pool(w, claim, result->fd);
    }
    watcher_drop_candidate(w, c);
}

void watcher_follow_candidate(struct watcher *w, struct candidate *c, struct settle_result *result)
{
    struct claim *claim;
    struct err e;
    int r;

    if (!c->may_follow || c->following || !result->identity.by_birth || result->identity.size < FOLLOW_SIZE_MIN ||
        !pool_may_follow(w->pool))
        return;
    if (!(claim = make_claim(w, c, &result->identity, kind_read_content(result->fd))))
        return;
    claim->size = 0;
    if (!claim->spool || spool_add(claim->spool, claim, &e) < 0 || (r = pool_follow(w->pool, claim, result->fd)) < 0) {
        claim_free(claim);
        return;
    }
    result->fd = -1;
    if (r > 0)
        return;
    c->following = true;
    memcpy(c->id, result->identity.id, sizeof(c->id));
    log_event(EVENT_FOLLOWING, LOG_STR("path", claim->path), LOG_STR("id", claim->id));
}
