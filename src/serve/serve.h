/* SPDX-License-Identifier: Apache-2.0
 *
 * The server of a store: what its parts share. A request is identified (access.h), its path decoded (request.h), and
 * handed to the first route that fits (route.c).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http_server.h"
#include "net/metrics_server.h"
#include "serve/access.h"
#include "serve/analyses.h"
#include "serve/captures.h"
#include "serve/catalogue.h"
#include "serve/decode_slots.h"
#include "serve/digests.h"
#include "serve/notices.h"
#include "serve/retention.h"
#include "serve/traffic.h"
#include "serve/uploads.h"
#include "store/sink.h"

struct serve_config {
    const char *root;          /* --root: a folder; NULL with a store elsewhere */
    struct sink_config *store; /* what --root or --from names */
    uint64_t refresh_ms;       /* --refresh; 0: the catalogue's default */
    struct access_config access;
    struct upload_config upload;
    uint64_t upload_memory, presign_ms; /* with a store elsewhere: gateway.h */
    struct http_server_options http;    /* begin, over and ctx are set by serve_start */
    struct notices_config notices;      /* store and http are set by serve_start */
    const char *state; /* a folder for the index and notices that wait; NULL: the root's own, or none */
    const struct retain_policy *retain; /* --retain; no rule: all is kept */
    struct analyses_config analyses;
    bool digest;         /* of what comes without one */
    const char *metrics; /* --metrics: an address to show metrics at without a token; NULL: none */
    uint64_t grace_ms;
};

struct serve {
    struct serve_config config;
    int root_fd; /* -1 with a store elsewhere */
    struct access *access;
    struct catalogue *catalogue; /* NULL: none */
    struct uploads *uploads;     /* NULL with a store elsewhere */
    struct gateway *gateway;     /* NULL with a root */
    struct notices *notices;     /* NULL: no targets */
    struct decode_slots *decoders;
    struct http_server *http;
    struct retention *retention; /* NULL: all is kept */
    struct analyses *analyses;
    struct digests *digests;        /* NULL: not asked for */
    struct captures *captures;      /* what persons ask for of pods */
    struct metrics_server *metrics; /* NULL: not asked for */
    struct traffic traffic;
    atomic_bool stopping; /* answers that wait for news end */
};

int serve_start(const struct serve_config *config, struct serve **ret, struct err *e);
void serve_stop(struct serve *s);

/* After an object or a manifest was stored or removed: catalogue, notices and counters learn of it. */
void serve_stored(struct serve *s, const char *key, uint64_t size);
void serve_removed(struct serve *s, const char *key);
