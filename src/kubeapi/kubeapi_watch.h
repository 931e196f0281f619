/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of the API server as they are and as they change: a list, then a watch from its resourceVersion on (bookmarks
 * keep it fresh), a new list when that is too old (410). Without a thread: the caller polls. An answer is never held
 * whole; each request has a deadline; failures are tried again with back-off, for ever.
 */
#pragma once

#include <jansson.h>
#include <poll.h>

#include "kubeapi/kubeapi.h"

enum { KUBEAPI_WATCH_FDS = 8 };

struct kubeapi_watch;

/* Called from kubeapi_watch_act. */
struct kubeapi_watch_ops {
    void (*list_begins)(void *ctx);                            /* what is not named until it ends is gone */
    int (*object)(void *ctx, const json_t *object, bool gone); /* 0 or -ENOMEM */
    void (*list_ends)(void *ctx);
    void (*works)(void *ctx);                                  /* again, or for the first time */
    void (*fails)(void *ctx, int result, const struct err *e); /* once for each other result */
    void (*left_out)(void *ctx, unsigned objects);             /* they are larger than 3 MiB, or no JSON */
};

struct kubeapi_watch_config {
    struct kubeapi *api;  /* borrowed */
    const char *path;     /* "/api/v1/pods" */
    const char *selector; /* "fieldSelector=spec.nodeName%3Dnode-1", encoded; NULL: none */
    bool can_watch;       /* false: lists only, each when it is asked for (the kubelet) */
    const struct kubeapi_watch_ops *ops;
    void *ctx;
    uint64_t first_retry_ms; /* 0: 1 s; up to a minute */
};

/* The config's strings are copied. */
int kubeapi_watch_new(const struct kubeapi_watch_config *c, struct kubeapi_watch **ret, struct err *e);
void kubeapi_watch_free(struct kubeapi_watch *w);

unsigned kubeapi_watch_fds(const struct kubeapi_watch *w, struct pollfd ret[KUBEAPI_WATCH_FDS]);
uint64_t kubeapi_watch_due_ms(const struct kubeapi_watch *w);
void kubeapi_watch_act(struct kubeapi_watch *w);

/* A new list, now if none is under way. */
void kubeapi_watch_relist(struct kubeapi_watch *w);

/* Whether the last request was answered as it should be, or is still under way without a failure before. */
bool kubeapi_watch_fails(const struct kubeapi_watch *w);
