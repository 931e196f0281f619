/* SPDX-License-Identifier: Apache-2.0 */
#include "net/service.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/retry.h"

static const struct retry_policy POLICY = {.soon = {100, 200}, .tries_most = 3};

enum { LEAST_MS = 20 }; /* less is not worth a try */

int service_open(struct service *s, const struct http_options *o, struct err *e)
{
    assert(s->name && !s->http && s->deadline_ms > 0 && s->answer_max > 0);
    return http_new(o, &s->http, e);
}

void service_done(struct service *s)
{
    http_free(s->http);
    s->http = NULL;
}

static uint64_t time_left(const struct service *s)
{
    uint64_t left_ms = clock_left_ms(s->deadline_ms);

    return left_ms > LEAST_MS ? left_ms : 0;
}

static int perform(const struct service *s, struct http_request *r, struct http_answer *ret, struct err *e)
{
    int result;

    r->limit_ms = time_left(s);
    if (r->limit_ms == 0)
        return err_set(e, -FAULT_STALLED, "%s has not answered in time", s->name);
    if (s->try_ms > 0 && r->limit_ms > s->try_ms)
        r->limit_ms = s->try_ms;
    ret->body.ceiling = s->answer_max;
    result = http_perform(s->http, r, ret, e);
    if (result < 0)
        return err_prefix(e, result, "%s", s->name);
    return ret->status == 429 || ret->status >= 500 ? err_set(e, -FAULT_BUSY, "%s answers %ld", s->name, ret->status)
                                                    : 0;
}

static bool wait_again(const struct service *s, struct retry_state *state, int result)
{
    struct retry_decision d;

    if (result != -FAULT_BUSY && result != -FAULT_UNREACHABLE)
        return false;
    d = retry_decide(state, &POLICY, result, 0, clock_mono_ms());
    if (d.verdict != RETRY_WAIT || d.delay_ms >= time_left(s))
        return false;
    clock_sleep_ms(d.delay_ms);
    return true;
}

int service_ask(const struct service *s, struct http_request *r, struct http_answer *ret, struct err *e)
{
    struct retry_state state = {0};
    int result;

    assert(s->http && r->url && !r->read && !r->write);
    do
        result = perform(s, r, ret, e);
    while (result < 0 && wait_again(s, &state, result));
    return result;
}

void service_answer_done(struct http_answer *a)
{
    buf_wipe(&a->body);
    http_answer_done(a);
}
