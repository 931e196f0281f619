/* SPDX-License-Identifier: Apache-2.0
 *
 * One unsigned HEAD: how far it comes, and the time in its answer.
 */
#include "probe/store_connection.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http.h"
#include "net/proxyenv.h"
#include "ship/plancheck.h"

enum {
    SKEW_WARN_S = 60,
    SKEW_FAIL_S = 15 * 60, /* S3 refuses what is signed further away (RequestTimeTooSkewed) */
    ANSWER_MAX = 64 * 1024
};

/* False: the proxy's variable is wrong, nothing further can be asked. */
static bool say_proxy(const struct findings *f, const struct plan *plan, bool tls)
{
    const char *place, *name = proxyenv_name(tls, &place);
    const char *except = env_get("no_proxy") ? env_get("no_proxy") : env_get("NO_PROXY");
    struct err e = {0};

    if (plancheck_proxy(plan, &e) < 0) {
        finding_fail(f, "proxy", "correct the variable, or unset it", "%s", e.msg);
        return false;
    }
    if (name)
        finding_ok(f, "proxy", "%s=%s%s%s", name, place, except ? ", but not for no_proxy=" : "", except ? except : "");
    return true;
}

static void say_clock(const struct findings *f, const struct http_answer *a, bool sign)
{
    char date[64];
    int64_t there_ns, skew_s;

    if (!http_header(a, "Date", date, sizeof(date)) || clock_parse_http(date, &there_ns) < 0) {
        finding_warn(f, "clock", NULL, "the store's answer has no Date to compare with");
        return;
    }
    skew_s = (clock_wall_ns() - there_ns) / 1000000000;
    if (skew_s < SKEW_WARN_S && skew_s > -SKEW_WARN_S) {
        finding_ok(f, "clock", "within a minute of the store's");
        return;
    }
    finding_add(
        f,
        &(struct finding_head){
            sign && (skew_s >= SKEW_FAIL_S || skew_s <= -SKEW_FAIL_S) ? FINDING_FAIL : FINDING_WARN, "clock",
            "set this machine's clock (NTP): signatures, certificates and the times in the evidence's names depend "
            "on it"},
        "%" PRId64 " s %s the store's (skew; its Date is %s)", skew_s < 0 ? -skew_s : skew_s,
        skew_s < 0 ? "behind" : "ahead of", date);
}

static void say_tls(const struct findings *f, bool tls)
{
    if (tls)
        finding_ok(f, "tls", "the certificate is trusted, and is this host's");
    else
        finding_ok(f, "tls", "not used: http:// travels in the clear");
}

/* Which finding a stage's failure is, and what to do about it. */
static const struct {
    const char *name, *remedy;
} STAGES[] = {
    [HTTP_NOT_ASKED] = {"tls", NULL},
    [HTTP_NAME] = {"dns", "look at the spelling of the host, the pod's dnsPolicy and /etc/resolv.conf"},
    [HTTP_CONNECT] = {"tcp", "look at the port, at firewalls, NetworkPolicies and proxies, and whether the store runs"},
    [HTTP_TLS] = {"tls", NULL}, /* the message says it */
    [HTTP_ANSWER] = {"http", "look whether an HTTP server listens there (http:// or https://?)"},
    [HTTP_DONE] = {"http", NULL},
};

static void say_stages(const struct findings *f, const struct http_way *way, const char *origin)
{
    if (way->ended_at > HTTP_NAME)
        finding_ok(f, "dns", "%s: %s", strstr(origin, "://") + 3,
                   *way->address ? way->address : "the name has an address");
    if (way->ended_at > HTTP_CONNECT)
        finding_ok(f, "tcp", "connected to %s, port %ld", way->address, way->port);
    if (way->ended_at > HTTP_TLS)
        say_tls(f, text_starts(origin, "https:"));
}

static bool connect_and_ask(const struct findings *f, const struct plan *plan, const char *origin, struct http *http)
{
    CLEANUP(http_answer_done) struct http_answer answer = {.body = {.ceiling = ANSWER_MAX}};
    CLEANUP_FREE char *url = NULL;
    struct http_way way = {0};
    struct err e = {0};
    int r;

    if (asprintf(&url, "%s/", origin) < 0) {
        url = NULL;
        finding_fail(f, "http", NULL, "out of memory");
        return false;
    }
    finding_step(f, "tcp", origin);
    r = http_perform(http, &(struct http_request){.method = "HEAD", .url = url}, &answer, &e);
    http_way(http, &way);
    say_stages(f, &way, origin);
    if (r < 0) {
        finding_fail(f, STAGES[way.ended_at].name, STAGES[way.ended_at].remedy, "%s", e.msg);
        return false;
    }
    say_clock(f, &answer, url_in_bucket(plan->sink.url.scheme));
    return true;
}

bool probe_connection(const struct findings *f, const struct plan *plan, const char *origin)
{
    struct http *http = NULL;
    struct err e = {0};
    bool there;

    assert(plan && origin);
    if (http_new(&plan->sink.http, &http, &e) < 0) {
        finding_fail(f, "http", NULL, "%s", e.msg);
        return false;
    }
    there = say_proxy(f, plan, text_starts(origin, "https:")) && connect_and_ask(f, plan, origin, http);
    http_free(http);
    return there;
}
