/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread for each question, each bound to the same deadline by libcurl's own limit: they all end with it. EC2 is
 * asked by IMDSv2 alone (EC2 User Guide, "Use the Instance Metadata Service"): first for a token, then with it.
 */
#include "place/metadata.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http.h"
#include "place/awsmeta.h"

enum { TOKEN_MAX = 1024, RETRY_MS = 100, LEAST_MS = 20, TRIES = 3 };

static const char TOKEN_SECONDS[] = "60";

struct question {
    const char *url; /* of the service; borrowed */
    const char *path;
    int (*parse)(const char *json, size_t size, struct facts *ret);
    uint64_t deadline_ms; /* monotonic */
    pthread_t thread;
    struct facts facts; /* the answer; empty without */
    int result;         /* -ENOMEM is returned; other errors count as no answer */
    bool needs_token;
    bool started;
};

static uint64_t time_left(const struct question *q)
{
    uint64_t left = clock_left_ms(q->deadline_ms);

    return left > LEAST_MS ? left : 0;
}

static int add_body(void *ctx, const void *data, size_t size)
{
    int r = buf_add(ctx, data, size);

    return r == -EMSGSIZE ? -FAULT_FORMAT : r;
}

/* The body of a 200; anything else is none. */
static int fetch(const struct question *q, struct http *http, struct http_request *r, struct buf *ret)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct err ignored;
    int result = -FAULT_STALLED;

    r->write = add_body;
    r->ctx = ret;
    for (unsigned i = 0; i < TRIES; i++) {
        if ((r->limit_ms = time_left(q)) == 0)
            return -FAULT_STALLED;
        buf_clear(ret);
        result = http_perform(http, r, &answer, &ignored);
        if (!http_may_pass(result, answer.status) || i + 1 == TRIES)
            break;
        clock_sleep_ms(RETRY_MS);
    }
    return result < 0 ? result : answer.status == 200 ? 0 : -FAULT_REFUSED;
}

static int fetch_token(const struct question *q, struct http *http, struct buf *ret)
{
    CLEANUP(buf_done) struct buf url = {0};
    struct http_request r = {.method = "PUT"};

    if (buf_printf(&url, "%s/latest/api/token", q->url) < 0)
        return -ENOMEM;
    r.url = buf_text(&url);
    http_add_header(&r, "X-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS);
    return fetch(q, http, &r, ret);
}

static int ask(struct question *q)
{
    CLEANUP(buf_done) struct buf url = {0}, body = {.ceiling = AWSMETA_MAX}, token = {.ceiling = TOKEN_MAX};
    const struct http_options options = {.timeout_ms = METADATA_MS, .direct = true};
    struct http_request r = {.method = "GET"};
    struct http *http = NULL;
    struct err ignored;
    int result = http_new(&options, &http, &ignored);

    if (result < 0)
        return result;
    if (buf_printf(&url, "%s%s", q->url, q->path) < 0)
        result = -ENOMEM;
    if (result == 0 && q->needs_token)
        result = fetch_token(q, http, &token);
    if (result == 0) {
        r.url = buf_text(&url);
        http_add_header(&r, "Accept", "application/json");
        if (q->needs_token)
            http_add_header(&r, "X-aws-ec2-metadata-token", buf_text(&token));
        result = fetch(q, http, &r, &body);
    }
    http_free(http);
    return result < 0 ? result : q->parse(buf_text(&body), body.size, &q->facts);
}

static void *run(void *ctx)
{
    struct question *q = ctx;

    q->result = ask(q);
    return NULL;
}

int metadata_ask(const struct metadata_places *p, struct facts *into)
{
    /* In the order in which they are believed. */
    struct question questions[] = {
        {.url = p->ecs, .path = "", .parse = awsmeta_parse_container},
        {.url = p->ecs, .path = "/task", .parse = awsmeta_parse_task},
        {.url = p->ec2,
         .path = "/latest/dynamic/instance-identity/document",
         .needs_token = true,
         .parse = awsmeta_parse_instance},
    };
    uint64_t deadline_ms = clock_mono_ms() + METADATA_MS;
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
        struct question *q = &questions[i];

        q->deadline_ms = deadline_ms;
        q->started = q->url && pthread_create(&q->thread, NULL, run, q) == 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
        struct question *q = &questions[i];

        if (!q->started)
            continue;
        pthread_join(q->thread, NULL);
        r = q->result == -ENOMEM ? -ENOMEM : r;
        facts_merge(into, &q->facts);
        facts_done(&q->facts);
    }
    return r;
}
