/* SPDX-License-Identifier: Apache-2.0
 *
 * A store elsewhere (--from), served as if it were a folder here: what its files share. The store's keys stay in this
 * process.
 */
#pragma once

#include "base/buf.h"
#include "serve/request.h"
#include "serve/sink_pool.h"

struct gateway_config {
    uint64_t upload_memory; /* bytes for parts of uploads that pass through, all together */
    uint64_t presign_ms;    /* how long the URL of a redirect holds; 0: downloads pass through */
};

struct gateway;

/* store: borrowed. */
int gateway_open(const struct gateway_config *config, const struct sink_config *store, struct gateway **ret,
                 struct err *e);
void gateway_close(struct gateway *g);

const struct gateway_config *gateway_config(const struct gateway *g);
const struct sink_ops *gateway_ops(const struct gateway *g); /* the store's */
struct sink_pool *gateway_sinks(const struct gateway *g);
struct upload_memory *gateway_upload_memory(const struct gateway *g);

/* A sink for one request to the store, whose result is given back with it: sink_pool.h and store_health.h. -FAULT_BUSY
 * at once while the store is down. */
int gateway_take(struct gateway *g, struct sink **ret, struct err *e);
void gateway_give(struct gateway *g, struct sink *s, int result);

/* A small object, appended to ret; as sink_ops.load. */
int gateway_load(struct gateway *g, const char *key, struct buf *ret, struct err *e);

/* As sink_ops.stat. */
int gateway_stat(struct gateway *g, const char *key, struct object_info *ret, struct err *e);

/* Answers for what the store said: 404 for what is not there, 503 where it is busy, 502 where it does not answer or
 * refuses us: its message, which names the bucket, is for our log. */
void gateway_fail(struct request *r, int result, const struct err *e);

/* Sends a reader to the store itself, by a URL that holds for a while. disposition, type: of the answer there. False:
 * nothing was answered, the object has to pass through. */
struct gateway_redirect {
    const char *disposition, *type;
    uint64_t size; /* of the object, for the audit */
};
bool gateway_redirect(struct request *r, const struct gateway_redirect *what);

/* What the routes call with a store elsewhere. */
void gateway_get(struct request *r);    /* GET, HEAD of a key (gateway_get.c) */
void gateway_put(struct request *r);    /* PUT, POST of a key; MKCOL (gateway_put.c) */
void gateway_remove(struct request *r); /* DELETE of a key (gateway_remove.c) */
void gateway_direct(struct request *r); /* POST below -/gateway/ (gateway_direct.c) */

/* Whether shippers may send parts to the bucket themselves; adds the header that offers it. Nothing without a store
 * elsewhere. */
void gateway_direct_offer(struct request *r);
