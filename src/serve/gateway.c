/* SPDX-License-Identifier: Apache-2.0
 *
 * What the gateway's requests share, and how the store's failures look to a client.
 */
#include "serve/gateway.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/gateway_sweep.h"
#include "serve/store_health.h"
#include "serve/upload_memory.h"

enum { RETRY_AFTER_S = 5 };

struct gateway {
    struct gateway_config config;
    struct sink_config store; /* borrows from the caller's */
    const struct sink_ops *ops;
    struct sink_pool *sinks;
    struct upload_memory *memory;
    struct store_health *health;
    struct gateway_sweep *sweep; /* may be NULL */
};

DEFINE_CLEANUP(struct gateway *, gateway_close)

int gateway_open(const struct gateway_config *config, const struct sink_config *store, struct gateway **ret,
                 struct err *e)
{
    CLEANUP(gateway_close_ptr) struct gateway *g = calloc(1, sizeof(*g));
    struct sink *first;
    int r;

    assert(config && store && ret);
    if (!g)
        return err_set(e, -ENOMEM, "out of memory");
    g->config = *config;
    g->store = *store;
    g->store.uploads = UPLOAD_PARTS_IN_FLIGHT;
    if (!(g->memory = upload_memory_new(config->upload_memory)) || !(g->health = store_health_new()))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = sink_pool_new(&g->store, &g->sinks, e)) < 0)
        return r;
    if ((r = sink_pool_take(g->sinks, &first, e)) < 0)
        return r;
    g->ops = first->ops;
    sink_pool_give(g->sinks, first);
    g->sweep = gateway_sweep_start(g->sinks);
    *ret = TAKE_PTR(g);
    return 0;
}

void gateway_close(struct gateway *g)
{
    if (!g)
        return;
    gateway_sweep_stop(g->sweep);
    sink_pool_free(g->sinks);
    upload_memory_free(g->memory);
    store_health_free(g->health);
    free(g);
}

const struct gateway_config *gateway_config(const struct gateway *g)
{
    return &g->config;
}

const struct sink_ops *gateway_ops(const struct gateway *g)
{
    return g->ops;
}

struct sink_pool *gateway_sinks(const struct gateway *g)
{
    return g->sinks;
}

struct upload_memory *gateway_upload_memory(const struct gateway *g)
{
    return g->memory;
}

int gateway_take(struct gateway *g, struct sink **ret, struct err *e)
{
    int r;

    if (store_health_check(g->health, e) < 0)
        return -FAULT_BUSY;
    if ((r = sink_pool_take(g->sinks, ret, e)) < 0)
        store_health_note(g->health, r);
    return r;
}

void gateway_give(struct gateway *g, struct sink *s, int result)
{
    store_health_note(g->health, result);
    sink_pool_give(g->sinks, s);
}

int gateway_load(struct gateway *g, const char *key, struct buf *ret, struct err *e)
{
    void *connection = NULL;
    struct sink *s;
    int r = gateway_take(g, &s, e);

    if (r < 0)
        return r;
    r = s->ops->load(s, &connection, key, ret, e);
    if (connection)
        s->ops->load_end(connection);
    gateway_give(g, s, r);
    return r;
}

int gateway_stat(struct gateway *g, const char *key, struct object_info *ret, struct err *e)
{
    struct sink *s;
    int r = gateway_take(g, &s, e);

    if (r < 0)
        return r;
    r = s->ops->stat(s, key, ret, e);
    gateway_give(g, s, r);
    return r;
}

/* Of a store that is down, those say it that have asked it. */
static void log_failure(const struct request *r, int result, const struct err *e)
{
    struct store_health *health = r->serve->gateway->health;

    if (result == -FAULT_UNREACHABLE || result == -FAULT_STALLED)
        store_health_note(health, result);
    if (result != -FAULT_BUSY || !store_health_is_down(health))
        log_event(EVENT_GATEWAY_FAILED, LOG_STR("key", r->key), LOG_STR("fault", fault_find(result)->name),
                  LOG_STR("error", e->msg));
}

void gateway_fail(struct request *r, int result, const struct err *e)
{
    char seconds[16];

    if (result == -FAULT_NO_OBJECT) {
        exchange_answer_text(r->exchange, 404, "not found");
        return;
    }
    log_failure(r, result, e);
    switch (result) {
    case -FAULT_BUSY:
    case -ENOMEM:
        snprintf(seconds, sizeof(seconds), "%u",
                 e->retry_after_ms ? (e->retry_after_ms + 999) / 1000 : (unsigned)RETRY_AFTER_S);
        exchange_add_header(r->exchange, "Retry-After", seconds);
        exchange_answer_text(r->exchange, 503, "the store behind this server is busy: try again later");
        break;
    case -FAULT_STALLED:
        exchange_answer_text(r->exchange, 504, "the store behind this server stopped answering: try again later");
        break;
    case -FAULT_UNREACHABLE:
        exchange_answer_text(r->exchange, 502, "the store behind this server cannot be reached: try again later");
        break;
    case -FAULT_FULL:
        exchange_answer_text(r->exchange, 507, "the store behind this server has no room left: delete old cases");
        break;
    default:
        exchange_answer_text(r->exchange, 502, "the store behind this server refuses (%s): the server's log says why",
                             fault_find(result)->name);
    }
}
