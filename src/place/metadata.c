/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread for each question, all with the same deadline.
 */
#include "place/metadata.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "net/imds.h"
#include "net/service.h"
#include "place/awsmeta.h"

enum { STACK_SIZE = 512 * 1024 }; /* libcurl takes some 100 KiB */

struct question {
    int (*ask)(struct question *q, struct http_answer *ret, struct err *e);
    const char *url;  /* of ECS; borrowed */
    const char *path; /* behind it */
    int (*parse)(const char *json, size_t size, struct facts *ret);
    uint64_t deadline_ms; /* monotonic */
    pthread_t thread;
    struct facts facts; /* the answer; empty without */
    int result;         /* -ENOMEM is returned; other errors count as no answer */
    bool wanted, started;
};

static int ask_ecs(struct question *q, struct http_answer *ret, struct err *e)
{
    static const struct http_options direct = {.timeout_ms = METADATA_MS, .direct = true};
    CLEANUP(service_done)
    struct service s = {.name = "the ECS agent", .deadline_ms = q->deadline_ms, .answer_max = AWSMETA_MAX};
    CLEANUP(buf_done) struct buf url = {0};
    struct http_request r = {.method = "GET"};
    int result = service_open(&s, &direct, e);

    if (result < 0)
        return result;
    if (buf_printf(&url, "%s%s", q->url, q->path) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r.url = buf_text(&url);
    http_add_header(&r, "Accept", "application/json");
    return service_ask(&s, &r, ret, e);
}

static int ask_ec2(struct question *q, struct http_answer *ret, struct err *e)
{
    CLEANUP(imds_done)
    struct imds s = {.service = {.deadline_ms = q->deadline_ms, .answer_max = AWSMETA_MAX}};
    int r = imds_open(&s, e);

    return r < 0 ? r : imds_get(&s, q->path, ret, e);
}

static int ask(struct question *q)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct err ignored;
    int r = q->ask(q, &answer, &ignored);

    if (r == 0 && answer.status != 200)
        r = -FAULT_REFUSED;
    return r < 0 ? r : q->parse(buf_text(&answer.body), answer.body.size, &q->facts);
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
        {.ask = ask_ecs, .url = p->ecs, .path = "", .parse = awsmeta_parse_container, .wanted = p->ecs},
        {.ask = ask_ecs, .url = p->ecs, .path = "/task", .parse = awsmeta_parse_task, .wanted = p->ecs},
        {.ask = ask_ec2,
         .path = "/latest/dynamic/instance-identity/document",
         .parse = awsmeta_parse_instance,
         .wanted = p->ec2},
    };
    uint64_t deadline_ms = clock_mono_ms() + METADATA_MS;
    int r = 0;

    assert(p->ecs || p->ec2);
    for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
        struct question *q = &questions[i];

        q->deadline_ms = deadline_ms;
        q->started = q->wanted && thread_start(&q->thread, STACK_SIZE, run, q) == 0;
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
