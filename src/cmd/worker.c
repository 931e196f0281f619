/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage worker: what `watch` starts to ship claims, one after the other, told through descriptor 3. Not for people.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/watch.h"
#include "linux/oomscore.h"
#include "place/environment_facts.h"
#include "place/layout.h"
#include "ship/job.h"
#include "ship/key_template.h"
#include "ship/wire.h"

enum { FOLLOW_NICE = 4, CHANNEL = 3, PROGRESS_EVERY_MS = 1000 };

/* What holds from one claim to the next. */
struct worker {
    const struct plan *plan;
    const struct whoami *who;
    char *const *dirs;           /* that are watched; NULL at the end */
    const struct layout *layout; /* NULL: all that lies there is our own */
    struct facts facts;
    bool facts_known;
    struct sink *sink; /* opened by the first claim */
};

/* A claim on its way. */
struct delivery {
    bool complete; /* the followed file is */
    bool state_lost;
};

static void on_progress(void *ctx, uint64_t bytes)
{
    (void)ctx;
    wire_send(CHANNEL, &(struct wire){.type = WIRE_PROGRESS, .a = bytes});
}

static void on_resumed(void *ctx, uint64_t bytes)
{
    (void)ctx;
    wire_send(CHANNEL, &(struct wire){.type = WIRE_RESUMED, .a = bytes});
}

static void on_state_lost(void *ctx, const char *why)
{
    struct delivery *d = ctx;

    if (!d->state_lost)
        wire_send(CHANNEL, &(struct wire){.type = WIRE_STATE_LOST, .text = (char *)why});
    d->state_lost = true;
}

static void on_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    (void)ctx;
    wire_send(CHANNEL, &(struct wire){.type = WIRE_WAITING, .a = delay_ms, .text = (char *)e->msg});
}

static void on_unverified(void *ctx, const struct err *e)
{
    (void)ctx;
    wire_send(CHANNEL, &(struct wire){.type = WIRE_UNVERIFIED, .text = (char *)e->msg});
}

static int on_complete(void *ctx, uint64_t delay_ms)
{
    struct delivery *d = ctx;
    struct pollfd channel = {.fd = CHANNEL, .events = POLLIN};
    struct wire message = {.fd = {-1, -1}};
    int r;

    if (d->complete)
        return 1;
    if (poll(&channel, 1, (int)delay_ms) <= 0)
        return 0;
    r = wire_receive(CHANNEL, &message);
    if (r <= 0)
        return -FAULT_LATER;
    d->complete = message.type == WIRE_COMPLETE;
    wire_done(&message);
    return d->complete;
}

/* What the loop logs and erases by; the whole manifest may be larger than a message. */
static int send_result(const struct job_result *result)
{
    CLEANUP(buf_done) struct buf text = {0};
    const struct manifest *m = &result->manifest;
    struct manifest brief = {.key = m->key,
                             .codec = m->codec,
                             .cause = m->cause,
                             .partial = m->partial,
                             .verified = m->verified,
                             .size = m->size,
                             .stored_size = m->stored_size,
                             .pause = m->pause};
    int r;

    memcpy(brief.sha256, m->sha256, sizeof(brief.sha256));
    memcpy(brief.stored_sha256, m->stored_sha256, sizeof(brief.stored_sha256));
    r = manifest_encode(&brief, &text);
    return r < 0 ? r
                 : wire_send(CHANNEL, &(struct wire){.type = WIRE_SHIPPED,
                                                     .a = result->already,
                                                     .b = (uint64_t)result->mtime_ns,
                                                     .text = text.data});
}

/* What an earlier worker of the same watch was told holds: services that don't answer are waited for once. */
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
    if (environment_facts_get("/", w->who, &w->facts) < 0)
        return -ENOMEM;
    w->facts_known = true;
    if (facts_encode(&w->facts, &text) == 0)
        wire_send(CHANNEL, &(struct wire){.type = WIRE_FACTS, .text = text.data});
    return 0;
}

/* Whose a claim is, if not our own pod's. */
struct owner {
    struct whoami who;
    struct facts facts;
};

static void owner_done(struct owner *o)
{
    whoami_done(&o->who);
    facts_done(&o->facts);
}

/* The folders it lies in may name another pod. */
static int find_owner(const struct worker *w, const struct claim *c, struct owner *ret, struct job *job)
{
    struct whoami names = {0};
    struct layout_names n;
    char *const *dir = w->dirs;

    while (w->layout && *dir && !layout_read(w->layout, *dir, c->path, &n))
        dir++;
    if (!w->layout || !*dir)
        return 0;
    names.namespace = n.name[LAYOUT_NAMESPACE];
    names.pod = n.name[LAYOUT_POD];
    names.container = n.name[LAYOUT_CONTAINER];
    if (whoami_for(w->who, &names, &ret->who) < 0 || facts_of_machine(&w->facts, &ret->facts) < 0)
        return -ENOMEM;
    job->who = &ret->who;
    job->facts = &ret->facts;
    return 0;
}

static int do_job(struct worker *w, const struct wire *message, struct job_result *result, struct err *e)
{
    CLEANUP(claim_done) struct claim claim = {0};
    CLEANUP(owner_done) struct owner owner = {0};
    struct delivery delivery = {0};
    struct plan plan = *w->plan; /* with our share of --memory */
    struct job job = {
        .plan = &plan,
        .who = w->who,
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
        .complete = on_complete,
        .ctx = &delivery,
    };
    int r;

    if (message->b > 0 && message->b < plan.memory)
        plan.memory = message->b;
    /* Beside a JVM that writes its dump we take what it leaves. An unprivileged process can't take this back; what is
     * left to do after the dump is short. */
    if (job.source == INTAKE_GROWING)
        setpriority(PRIO_PROCESS, 0, FOLLOW_NICE);
    if ((r = claim_decode(message->text, strlen(message->text), &claim)) < 0)
        return err_set(e, r, "the claim makes no sense");
    if (find_facts(w) < 0 || find_owner(w, &claim, &owner, &job) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (!w->sink && (r = sink_open(&w->plan->sink, &w->sink, e)) < 0)
        return r;
    job.sink = w->sink;
    return job_run(&job, result, e);
}

/* The evidence is closed before the loop hears of the end, and erases it: else the room would not be free. */
static void do_and_tell(struct worker *w, struct wire *message)
{
    CLEANUP(job_result_done) struct job_result result = {0};
    struct err e = {0};
    int r = do_job(w, message, &result, &e);

    wire_done(message);
    if (r == 0 && (r = send_result(&result)) < 0)
        r = err_set(&e, r == -EMSGSIZE ? -EIO : r, "the loop cannot be reported to: %s",
                    r == -EMSGSIZE ? "the manifest is too large" : strerror(-r));
    if (r < 0)
        wire_send(CHANNEL, &(struct wire){.type = WIRE_FAILED, .code = r, .a = e.retry_after_ms, .text = e.msg});
}

static bool is_ours(void *ctx, const char *key)
{
    const struct plan *plan = ctx;

    return template_match(plan->template, key);
}

/* Uploads that nobody will finish any more: of pods that are gone, with their journals. */
static void sweep(const struct plan *plan, struct sink *sink)
{
    int64_t before = clock_wall_ns() - (int64_t)plan->abandoned_ms * 1000000;
    unsigned count = 0;
    struct err ignored;

    if (sink && sink->ops->sweep)
        sink->ops->sweep(sink, before, is_ours, (void *)plan, &count, &ignored);
    wire_send(CHANNEL, &(struct wire){.type = WIRE_SWEPT, .a = count});
}

/* A claim may take hours, without a word: nobody else would stop it. What it had sent is in the journal. */
static void end_with_the_loop(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int serve(struct worker *w)
{
    struct wire message = {.fd = {-1, -1}};
    int r;

    while ((r = wire_receive(CHANNEL, &message)) == 1) {
        if (message.type == WIRE_JOB)
            do_and_tell(w, &message);
        if (message.type == WIRE_FACTS)
            take_facts(w, message.text);
        if (message.type == WIRE_SWEEP)
            sweep(w->plan, w->sink);
        wire_done(&message);
    }
    sink_close(w->sink);
    facts_done(&w->facts);
    return r < 0 ? 1 : 0;
}

static int run(int argc, char **argv)
{
    struct watch_options o = {0};
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP_FREE char **dirs = NULL;
    struct layout layout;
    struct err e = {0};
    int r = watch_parse(argc, argv, &o, &dirs, &e);

    if (r < 0 || (r = plan_init(&plan, &o.plan, &e)) < 0 || (o.layout && (r = layout_parse(o.layout, &layout, &e)) < 0))
        return command_fail(r, &e);
    plan.sink.notice = NULL; /* the watch has it said, once (ship/storecheck.h) */
    if ((r = whoami_get("/", &who, &e)) < 0)
        return command_fail(r, &e);
    end_with_the_loop();
    oomscore_offer(); /* an attempt is lost, then */
    return serve(&(struct worker){.plan = &plan, .who = &who, .dirs = dirs, .layout = o.layout ? &layout : NULL});
}

const struct command CMD_WORKER = {
    .name = "worker",
    .args = "",
    .summary = "ships claims for watch",
    .hidden = true,
    .run = run,
};
