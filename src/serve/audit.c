/* SPDX-License-Identifier: Apache-2.0
 *
 * Events by method and status, unless what answered knows better.
 */
#include "serve/audit.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

/* Anybody can make refusals: this many at once, then one in EACH_MS. */
enum { REFUSALS_BURST = 20, REFUSALS_EACH_MS = 500 };

static struct {
    pthread_mutex_t lock;
    uint64_t full_ms; /* as in login_limit.c: a bucket that drains */
    uint64_t left_out;
} refusals = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_worth_it(uint64_t *ret_left_out)
{
    uint64_t now = clock_mono_ms();
    bool worth;

    pthread_mutex_lock(&refusals.lock);
    if (refusals.full_ms < now)
        refusals.full_ms = now;
    worth = refusals.full_ms < now + (uint64_t)REFUSALS_BURST * REFUSALS_EACH_MS;
    if (worth) {
        refusals.full_ms += REFUSALS_EACH_MS;
        *ret_left_out = refusals.left_out;
        refusals.left_out = 0;
    } else {
        refusals.left_out++;
    }
    pthread_mutex_unlock(&refusals.lock);
    return worth;
}

/* NULL: nothing to be written down. */
static const char *action(const struct request *r, unsigned status)
{
    const char *method = exchange_method(r->exchange);
    bool done = status >= 200 && status < 300;

    if (r->refused || status == 401 || status == 403 || status == 429)
        return "refusal";
    if (r->action)
        return r->action;
    if (!r->key || text_starts(r->key, REQUEST_OWN) || !*r->key || r->key[strlen(r->key) - 1] == '/')
        return NULL;
    if (text_eq(method, "GET") && (done || status == 0) && r->rights & RIGHT_READ)
        return "download";
    if (text_eq(method, "PUT") && done)
        return "upload";
    if (text_eq(method, "DELETE") && done)
        return "deletion";
    return NULL;
}

void audit_over(const struct request *r, unsigned status, uint64_t sent_bytes)
{
    const char *what = r ? action(r, status) : NULL;
    int64_t body = r ? exchange_body_size(r->exchange) : 0;
    uint64_t bytes, left_out = 0;
    char client[HTTP_LISTEN_MAX];

    if (!what || (text_eq(what, "refusal") && !is_worth_it(&left_out)))
        return;
    bytes = r->bytes ? r->bytes : text_eq(what, "upload") && body > 0 ? (uint64_t)body : sent_bytes;
    log_event(EVENT_AUDIT, LOG_STR("action", what), LOG_STR("who", r->caller ? caller_name(r->caller) : NULL),
              LOG_STR("key", r->object ? r->object : r->key), LOG_STR("method", exchange_method(r->exchange)),
              LOG_UINT("status", status), LOG_UINT("bytes", bytes),
              LOG_STR("client", access_client(r->serve->access, r->exchange, client)), LOG_UINT("left_out", left_out));
}
