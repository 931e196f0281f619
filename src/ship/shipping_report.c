/* SPDX-License-Identifier: Apache-2.0
 *
 * What the user of a foreground command sees: progress, warnings, and the stored object.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/command.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/interrupt.h"
#include "ship/report.h"
#include "ship/shipping_internal.h"

void shipment_say(struct shipment *s, const char *what, const char *text)
{
    if (s->of->logs) {
        log_event(EVENT_FAILED, LOG_STR("path", s->path), LOG_STR("error", text));
        return;
    }
    progress_clear(&s->progress);
    command_say("%s: %s", what, text);
}

static void on_progress(void *ctx, uint64_t bytes)
{
    struct shipment *s = ctx;

    progress_show(&s->progress, bytes, s->claim.size);
}

static void on_resumed(void *ctx, uint64_t bytes)
{
    struct shipment *s = ctx;
    char size[TEXT_SIZE_MAX], text[80];

    snprintf(text, sizeof(text), "going on behind %s that are in the store", text_format_size(bytes, size));
    shipment_say(s, s->path, text);
    progress_skip(&s->progress, bytes);
}

void shipment_state_lost(void *ctx, const char *why)
{
    struct shipment *s = ctx;

    if (!s->state_lost)
        shipment_say(s, "warning: no journal, an interrupted upload would begin anew", why);
    s->state_lost = true;
}

void shipment_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    char text[900];

    if (delay_ms > 0)
        snprintf(text, sizeof(text), "%s; trying again in %.1f s", e->msg, (double)delay_ms / 1000);
    else
        snprintf(text, sizeof(text), "%s", e->msg);
    shipment_say(ctx, "warning", text);
}

static void on_unverified(void *ctx, const struct err *e)
{
    struct shipment *s = ctx;

    if (s->of->logs)
        log_event(EVENT_STORED_UNVERIFIED, LOG_STR("path", s->path), LOG_STR("error", e->msg));
    else
        shipment_say(
            s, "warning: stored, but it may not be read back: the store's answers to the upload count (--verify=put)",
            e->msg);
}

static void on_undigested(void *ctx, const char *why)
{
    struct shipment *s = ctx;

    if (s->of->logs)
        log_event(EVENT_NO_DIGEST, LOG_STR("path", s->path), LOG_STR("error", why));
    else
        shipment_say(s, "warning: without a digest", why);
}

static void on_unanalysed(void *ctx, const char *why)
{
    struct shipment *s = ctx;

    if (s->of->logs)
        log_event(EVENT_NOT_ANALYSED, LOG_STR("path", s->path), LOG_STR("error", why));
    else
        shipment_say(s, "warning: stored, and not analysed", why);
}

/* A heap dump is parsed by two: its digest, and --inspect. */
static void on_unfiltered(void *ctx)
{
    struct shipment *s = ctx;

    if (s->unfiltered)
        return;
    s->unfiltered = true;
    if (s->of->logs)
        log_event(EVENT_NO_SECCOMP);
    else
        shipment_say(s, "warning", "no seccomp here: it was parsed by a process that may make any system call");
}

static bool on_hurry(void *ctx)
{
    (void)ctx;
    return interrupt_caught() != 0;
}

void shipment_report_progress(struct shipment *s, struct job *job)
{
    job->progress = on_progress;
    job->resumed = on_resumed;
    job->state_lost = shipment_state_lost;
    job->waiting = shipment_waiting;
    job->unverified = on_unverified;
    job->unanalysed = on_unanalysed;
    job->hurry = on_hurry;
    job->undigested = on_undigested;
    job->unfiltered = on_unfiltered;
    job->ctx = s;
}

int shipment_report(struct shipment *s, const struct job_result *result)
{
    CLEANUP(buf_done) struct buf json = {0};
    CLEANUP_FREE char *url = sink_object_url(&s->of->plan->sink, result->manifest.key);
    char size[TEXT_SIZE_MAX];

    if (s->of->stored)
        s->of->stored(s->of->stored_ctx, &result->manifest);
    if (s->of->logs) {
        report_shipped(s->of->plan, &result->manifest, result->already, (double)(clock_mono_ms() - s->began_ms) / 1000);
        return 0;
    }
    if (result->already)
        shipment_say(s, s->path, "was in the store already");
    if (result->manifest.partial)
        shipment_say(s, "warning: the dump is not whole", result->manifest.partial);
    if (s->of->json && manifest_encode(&result->manifest, &json) == 0)
        fputs(buf_text(&json), stdout);
    else if (s->of->sentence)
        printf("salvage: %s: %s of process %" PRIu64 " (%s) shipped to %s\n", s->of->cause, result->manifest.kind,
               s->of->pid, text_format_size(result->manifest.size, size), url ? url : result->manifest.key);
    else
        return command_put(url ? url : result->manifest.key);
    return fflush(stdout) == 0 ? 0 : -EIO;
}
