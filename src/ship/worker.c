/* SPDX-License-Identifier: Apache-2.0
 *
 * Receives claims, ships each with the store that the first one has opened, and reports.
 */
#include "ship/worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "place/environment_facts.h"
#include "ship/job.h"
#include "ship/key_template.h"
#include "ship/wire.h"

enum { FOLLOW_NICE = 4, ALIVE_MS = 1000 };

/* State that is kept from one claim to the next. */
struct worker {
    const struct worker_config *config;
    struct facts facts;
    bool facts_known;
    struct sink *sink; /* opened by the first claim */
};

/* One job. */
struct delivery {
    int channel;
    bool complete; /* the followed file is complete */
    bool state_lost;
    uint64_t size, said_ms; /* of the evidence; when the loop last heard of an analysis */
};

static void send_text(const struct delivery *d, enum wire_type type, const char *text, uint64_t a)
{
    wire_send(d->channel, &(struct wire){.type = type, .a = a, .text = (char *)text});
}

static void on_progress(void *ctx, uint64_t bytes)
{
    send_text(ctx, WIRE_PROGRESS, NULL, bytes);
}

static void on_resumed(void *ctx, uint64_t bytes)
{
    send_text(ctx, WIRE_RESUMED, NULL, bytes);
}

static void on_state_lost(void *ctx, const char *why)
{
    struct delivery *d = ctx;

    if (!d->state_lost)
        send_text(d, WIRE_STATE_LOST, why, 0);
    d->state_lost = true;
}

static void on_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    send_text(ctx, WIRE_WAITING, e->msg, delay_ms);
}

static void on_unverified(void *ctx, const struct err *e)
{
    send_text(ctx, WIRE_UNVERIFIED, e->msg, 0);
}

static void on_undigested(void *ctx, const char *why)
{
    send_text(ctx, WIRE_UNDIGESTED, why, 0);
}

static void on_unanalysed(void *ctx, const char *why)
{
    send_text(ctx, WIRE_UNANALYSED, why, 0);
}

/* The loop says nothing more to a worker until its job is done, but that it ends. It takes a worker that is silent for
 * one that hangs. */
static bool on_hurry(void *ctx)
{
    struct delivery *d = ctx;
    struct pollfd channel = {.fd = d->channel, .events = POLLIN};
    uint64_t now_ms = clock_mono_ms();

    if (now_ms - d->said_ms >= ALIVE_MS) {
        send_text(d, WIRE_PROGRESS, NULL, d->size);
        d->said_ms = now_ms;
    }
    return poll(&channel, 1, 0) > 0;
}

static int on_complete(void *ctx, uint64_t delay_ms)
{
    struct delivery *d = ctx;
    struct pollfd channel = {.fd = d->channel, .events = POLLIN};
    struct wire message = {.fd = {-1, -1}};
    int r;

    if (d->complete)
        return 1;
    if (poll(&channel, 1, (int)delay_ms) <= 0)
        return 0;
    r = wire_receive(d->channel, &message);
    if (r <= 0)
        return -FAULT_LATER;
    d->complete = message.type == WIRE_COMPLETE;
    wire_done(&message);
    return d->complete;
}

/* The fields that the loop logs and erases by. */
static struct manifest brief_of(const struct manifest *m)
{
    struct manifest brief = {.key = m->key,
                             .codec = m->codec,
                             .cause = m->cause,
                             .partial = m->partial,
                             .summary = m->summary,
                             .verified = m->verified,
                             .size = m->size,
                             .stored_size = m->stored_size,
                             .pause = m->pause};

    memcpy(brief.sha256, m->sha256, sizeof(brief.sha256));
    memcpy(brief.stored_sha256, m->stored_sha256, sizeof(brief.stored_sha256));
    return brief;
}

/* What a notice has (ship/case_notice.h). */
static void add_notice_fields(struct manifest *brief, const struct manifest *m)
{
    brief->kind = m->kind;
    brief->top = m->top;
    brief->where.place = m->where.place;
    brief->where.namespace = m->where.namespace;
    brief->where.pod = m->where.pod;
    brief->where.pod_uid = m->where.pod_uid;
    brief->where.container = m->where.container;
    brief->where.family = m->where.family;
    brief->where.host = m->where.host;
    brief->origin.detail = m->origin.detail;
    brief->time = m->time;
}

/* Without what does not fit into a message. */
static int send_result(int channel, const struct job_result *result)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct manifest brief = brief_of(&result->manifest);
    int r;

    add_notice_fields(&brief, &result->manifest);
    r = manifest_encode(&brief, &text);
    if (r == 0 && text.size > WIRE_TEXT_MAX) {
        brief = brief_of(&result->manifest);
        buf_clear(&text);
        r = manifest_encode(&brief, &text);
    }
    return r < 0 ? r
                 : wire_send(channel, &(struct wire){.type = WIRE_SHIPPED,
                                                     .a = result->already,
                                                     .b = (uint64_t)result->mtime_ns,
                                                     .text = text.data});
}

/* Facts that an earlier worker of this watch has found: only one worker waits for services that don't answer. */
static void take_facts(struct worker *w, const char *text)
{
    facts_done(&w->facts);
    w->facts_known = facts_decode(text, strlen(text), &w->facts) == 0;
}

static int find_facts(struct worker *w)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FACTS_MAX};

    if (w->facts_known)
        return 0;
    if (environment_facts_get("/", w->config->who, &w->facts) < 0)
        return -ENOMEM;
    w->facts_known = true;
    if (facts_encode(&w->facts, &text) == 0)
        wire_send(w->config->channel, &(struct wire){.type = WIRE_FACTS, .text = text.data});
    return 0;
}

/* The pod that a claim belongs to, if it is not our own. */
struct owner {
    struct whoami who;
    struct facts facts;
};

static void owner_done(struct owner *o)
{
    whoami_done(&o->who);
    facts_done(&o->facts);
}

/* The node's table may know the pod, or the path may name it (--layout). */
static int find_owner(const struct worker *w, const struct claim *c, struct owner *ret, struct job *job)
{
    struct whoami names = {
        .namespace = c->pod.namespace, .pod = c->pod.pod, .pod_uid = c->pod.uid, .container = c->pod.container};
    struct layout_names n;
    char *const *dir = w->config->dirs;

    if (!names.namespace) {
        while (w->config->layout && *dir && !layout_read(w->config->layout, *dir, c->path, &n))
            dir++;
        if (!w->config->layout || !*dir)
            return 0;
        names.namespace = n.name[LAYOUT_NAMESPACE];
        names.pod = n.name[LAYOUT_POD];
        names.container = n.name[LAYOUT_CONTAINER];
    }
    if (whoami_for(w->config->who, &names, &ret->who) < 0 || facts_of_machine(&w->facts, &ret->facts) < 0)
        return -ENOMEM;
    job->who = &ret->who;
    job->facts = &ret->facts;
    return 0;
}

static int do_job(struct worker *w, const struct wire *message, struct job_result *result, struct err *e)
{
    CLEANUP(claim_done) struct claim claim = {0};
    CLEANUP(owner_done) struct owner owner = {0};
    struct delivery delivery = {.channel = w->config->channel};
    struct plan plan = *w->config->plan; /* with our share of --memory */
    struct job job = {
        .plan = &plan,
        .who = w->config->who,
        .facts = &w->facts,
        .claim = &claim,
        .fd = message->fd[0],
        .claim_dir = message->fd[1],
        .source = message->a ? INTAKE_GROWING : INTAKE_FILE,
        .progress = on_progress,
        .resumed = on_resumed,
        .state_lost = on_state_lost,
        .waiting = on_waiting,
        .unverified = on_unverified,
        .unanalysed = on_unanalysed,
        .hurry = on_hurry,
        .undigested = on_undigested,
        .complete = on_complete,
        .ctx = &delivery,
    };
    int r;

    if (message->b > 0 && message->b < plan.memory)
        plan.memory = message->b;
    /* While a JVM writes its dump, use only the processor time that it leaves. An unprivileged process can't raise its
     * priority again; little is left to do after the dump. */
    if (job.source == INTAKE_GROWING)
        setpriority(PRIO_PROCESS, 0, FOLLOW_NICE);
    if ((r = claim_decode(message->text, strlen(message->text), &claim)) < 0)
        return err_set(e, r, "the claim makes no sense");
    delivery.size = claim.size;
    if (find_facts(w) < 0 || find_owner(w, &claim, &owner, &job) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (!w->sink && (r = sink_open(&w->config->plan->sink, &w->sink, e)) < 0)
        return r;
    job.sink = w->sink;
    return job_run(&job, result, e);
}

/* The evidence is closed before the end is reported: the loop then erases it, and its blocks are freed. */
static void do_and_report(struct worker *w, struct wire *message)
{
    CLEANUP(job_result_done) struct job_result result = {0};
    struct err e = {0};
    int r = do_job(w, message, &result, &e);

    wire_done(message);
    if (r == 0 && (r = send_result(w->config->channel, &result)) < 0)
        r = err_set(&e, r == -EMSGSIZE ? -EIO : r, "the loop cannot be reported to: %s",
                    r == -EMSGSIZE ? "the manifest is too large" : strerror(-r));
    if (r < 0)
        wire_send(w->config->channel,
                  &(struct wire){.type = WIRE_FAILED, .code = r, .a = e.retry_after_ms, .text = e.msg});
}

static bool is_ours(void *ctx, const char *key)
{
    const struct plan *plan = ctx;

    return template_match(plan->template, key);
}

/* Aborts uploads that no process will finish: those of pods that were deleted, journal included. */
static void sweep(const struct worker *w)
{
    const struct plan *plan = w->config->plan;
    struct upload_sweep abandoned = {
        .before_ns = clock_wall_ns() - (int64_t)plan->abandoned_ms * 1000000, .mine = is_ours, .ctx = (void *)plan};
    unsigned count = 0;
    struct err ignored;

    if (w->sink && w->sink->ops->sweep)
        w->sink->ops->sweep(w->sink, &abandoned, &count, &ignored);
    wire_send(w->config->channel, &(struct wire){.type = WIRE_SWEPT, .a = count});
}

int worker_serve(const struct worker_config *c)
{
    struct worker w = {.config = c};
    struct wire message = {.fd = {-1, -1}};
    int r;

    assert(c->plan && c->who && c->dirs);
    while ((r = wire_receive(c->channel, &message)) == 1) {
        if (message.type == WIRE_JOB)
            do_and_report(&w, &message);
        if (message.type == WIRE_FACTS)
            take_facts(&w, message.text);
        if (message.type == WIRE_SWEEP)
            sweep(&w);
        wire_done(&message);
    }
    sink_close(w.sink);
    facts_done(&w.facts);
    return r;
}
