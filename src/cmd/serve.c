/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage serve: a store and a place to look.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "notify/notify_options.h"
#include "serve/access_options.h"
#include "serve/listening.h"
#include "serve/serve.h"
#include "serve/upload_options.h"
#include "ship/plan.h"

#define PRESIGN_MAX_MS (7ull * 24 * 3600 * 1000)

/* Of malloc: one for each of hundreds of threads would keep what they free. */
enum { ARENAS = 2 };

struct serve_options {
    struct plan_options plan;
    struct notify_options notify;
    const char *state, *metrics;
    struct opt_list retain, analyse;
    uint64_t analysis_memory;
    bool digest;
    const char *root, *from;
    struct listening_options listening;
    struct upload_options upload;
    uint64_t refresh_ms, upload_memory, presign_ms;
    bool pass_through;
    struct access_options access;
    int log;
};

static const struct opt SERVE_OPTIONS[] = {
    {OPT_HEADING, .name = "Store"},
    {OPT_STRING, 0, "root", "DIR", NULL, offsetof(struct serve_options, root), "the store is this folder"},
    {OPT_STRING, 0, "from", "URL", NULL, offsetof(struct serve_options, from),
     "the store is elsewhere: s3://bucket/prefix, obs://bucket/prefix or az://account/container/prefix"},
    {OPT_EXCLUDES, .name = "root", .arg = "from"},
    {OPT_DURATION, 0, "refresh", "DURATION", "10m", offsetof(struct serve_options, refresh_ms),
     "how often the store is listed for what others put there"},
    PLAN_OPTIONS_ACCESS(struct serve_options, plan),
    LISTENING_OPTIONS(struct serve_options, listening),
    ACCESS_OPTIONS(struct serve_options, access),
    UPLOAD_OPTIONS(struct serve_options, upload),
    {OPT_HEADING, .name = "Bucket"},
    {OPT_FLAG, 0, "pass-through", NULL, NULL, offsetof(struct serve_options, pass_through),
     "with --from: downloads and uploads go through this server, not straight from and to the bucket: for clients that "
     "cannot reach it"},
    {OPT_DURATION, 0, "presign-for", "DURATION", "5m", offsetof(struct serve_options, presign_ms),
     "with --from: how long the presigned URL of a download, or of a part of an upload, holds; at most 7d"},
    {OPT_SIZE, 0, "upload-memory", "SIZE", "256MiB", offsetof(struct serve_options, upload_memory),
     "with --from: memory for uploads on their way into the bucket, all together; when it is used up, others wait, or "
     "are answered with 503"},
    NOTIFY_OPTIONS(struct serve_options, notify),
    {OPT_STRING, 0, "state", "DIR", NULL, offsetof(struct serve_options, state),
     "folder for notices that wait and for the index of cases, without which each start reads all manifests; default "
     "with --root: .salvage in it"},
    {OPT_HEADING, .name = "Care"},
    {OPT_LIST, 0, "retain", "[NAMESPACE:]LIMITS", NULL, offsetof(struct serve_options, retain),
     "what stays, checked every hour: age=30d, count=20 (cases of one workload), bytes=500G, free=10G (on the disk of "
     "--root), joined by commas; for one namespace: shop:age=90d,bytes=50G; may be repeated; `salvage prune --dry-run` "
     "shows what would go"},
    {OPT_HEADING, .name = "Analysis"},
    {OPT_LIST, 0, "analyse", "[NAMESPACE=]WHEN", NULL, offsetof(struct serve_options, analyse),
     "which heap dumps are analysed as `salvage inspect` does: request (by a button and the API; the default), oom "
     "(also "
     "each that a JVM wrote because it ran out of memory, when it arrives), always, never; for one namespace: "
     "shop=oom; "
     "may be repeated"},
    {OPT_SIZE, 0, "analysis-memory", "SIZE", "512MiB", offsetof(struct serve_options, analysis_memory),
     "memory for an analysis, of which one runs at a time"},
    {OPT_FLAG, 0, "digest", NULL, "yes", offsetof(struct serve_options, digest),
     "find out what evidence says that arrives without it (docs/digest.md)"},
    METRICS_OPTION(struct serve_options, metrics),
    {OPT_HEADING, .name = "Log"},
    {OPT_CHOICE, 0, "log", "text|json", "text", offsetof(struct serve_options, log), "form of the log on stderr"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int wait_for_signal(const sigset_t *set)
{
    int number;

    while (sigwait(set, &number) != 0)
        ;
    return number;
}

/* "file:///data" for --root, else --from. malloc'ed. */
static char *store_url(const struct serve_options *o)
{
    CLEANUP_FREE char *path = NULL;
    struct buf url = {0};

    if (!o->root)
        return strdup(o->from);
    if (!(path = realpath(o->root, NULL)) || buf_printf(&url, "file://%s", path) < 0)
        return NULL;
    return buf_take(&url);
}

/* Once, at the first start, and never in an event: stderr has nothing but events, and they may be kept for long. */
static void show_token(const struct serve *serve)
{
    const struct secret *token = access_made_token(serve->access);

    if (!token)
        return;
    printf("\nSign in at %s://%s/-/login with this token; it is not shown again:\n\n    %s\n\n",
           serve->config.http.tls_cert ? "https" : "http", http_server_address(serve->http), secret_expose(token));
    fflush(stdout);
}

/* Without --public-url: where it listens. malloc'ed. */
static char *public_url(const struct serve_options *o)
{
    struct buf url = {0};
    size_t size = o->notify.public_url ? text_size_without_slashes(o->notify.public_url) : 0;

    if (size > 0)
        return strndup(o->notify.public_url, size);
    if (buf_printf(&url, "%s://%s%s", o->listening.tls_cert ? "https" : "http",
                   *o->listening.listen == ':' ? "localhost" : "", o->listening.listen) < 0)
        return NULL;
    return buf_take(&url);
}

static int run_on(struct serve_options *o, struct err *e)
{
    CLEANUP(notify_targets_done) struct notify_targets targets = {0};
    CLEANUP(retain_policy_done) struct retain_policy retain = {0};
    CLEANUP_FREE char *link = public_url(o);
    CLEANUP(sink_config_done) struct sink_config store = {0};
    CLEANUP(upload_config_done) struct upload_config upload = {0};
    CLEANUP_FREE char *url = NULL;
    struct serve_config config = {
        .root = o->root, .store = &store, .refresh_ms = o->refresh_ms, .grace_ms = o->listening.grace_ms};
    struct serve *serve;
    sigset_t signals;
    int r;

    if (!o->root && !o->from)
        return err_set(e, -FAULT_USAGE, "serve: which store? --root DIR or --from s3://bucket/prefix");
    if (o->presign_ms > PRESIGN_MAX_MS || (o->presign_ms < 1000 && !o->pass_through))
        return err_set(e, -FAULT_USAGE, "--presign-for: from one second to seven days; or --pass-through");
    if (!(url = store_url(o)))
        return err_set(e, -FAULT_FOLDER, "--root %s: %s", o->root, strerror(errno));
    if ((r = plan_sink_config(&store, &o->plan, url, e)) < 0)
        return r;
    if ((r = access_options_read(&o->access, o->root, &config.access, e)) < 0)
        return r;
    if ((r = upload_options_read(&o->upload, &upload, e)) < 0)
        return r;
    config.upload = upload;
    config.upload_memory = o->upload_memory;
    config.presign_ms = o->pass_through ? 0 : o->presign_ms;
    if ((r = notify_options_read(&o->notify, &targets, e)) < 0)
        return r;
    config.notices = (struct notices_config){.targets = &targets, .public_url = link, .every_ms = o->notify.every_ms};
    config.state = o->state;
    config.metrics = o->metrics;
    if ((r = retain_policy_read(&retain, o->retain.item, o->retain.count, e)) < 0)
        return r;
    config.retain = &retain;
    config.analyses.memory = o->analysis_memory;
    config.digest = o->digest;
    if (o->analysis_memory < ANALYSIS_MEMORY_LEAST)
        return err_set(e, -FAULT_USAGE, "--analysis-memory: at least 48MiB");
    if ((r = analyse_rules_read(o->analyse.item, o->analyse.count, &config.analyses.rules, e)) < 0)
        return r;
    if ((r = listening_http(&o->listening, &config.http, e)) < 0)
        return r;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if ((r = serve_start(&config, &serve, e)) < 0)
        return r;
    show_token(serve);
    log_event(EVENT_SERVING, LOG_STR("address", http_server_address(serve->http)), LOG_STR("store", url));
    wait_for_signal(&signals);
    log_event(EVENT_STOPPING, LOG_UINT("grace_s", o->listening.grace_ms / 1000));
    serve_stop(serve);
    log_event(EVENT_STOPPED);
    return 0;
}

static int run(int argc, char **argv)
{
    struct serve_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int count = opt_parse(SERVE_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e), r;

    if (count < 0)
        return command_fail(count, &e);
    if (count > 0)
        return command_error(-FAULT_USAGE, "serve: '%s' is one argument too many", operands[0]);
    log_set_format(o.log ? LOG_JSON : LOG_TEXT);
    mallopt(M_ARENA_MAX, ARENAS);
    r = run_on(&o, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_SERVE = {
    .name = "serve",
    .args = "--root DIR | --from URL",
    .summary = "serve a store by HTTP, with pages",
    .text = "A file server for evidence, and pages that show why something died. With --root it keeps the objects in a "
            "folder, readable without it; with --from it stands before a bucket, so that nobody else needs its key.",
    .examples = "salvage serve --root /data\n"
                "    a store on a disk, at http://127.0.0.1:8080\n",
    .options = SERVE_OPTIONS,
    .run = run,
};
