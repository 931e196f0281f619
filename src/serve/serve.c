/* SPDX-License-Identifier: Apache-2.0
 *
 * Start and end of the server, and its parts' order.
 */
#include "serve/serve.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/audit.h"
#include "serve/gateway.h"
#include "serve/metrics_page.h"
#include "serve/root.h"
#include "serve/route.h"
#include "serve/state_folder.h"
#include "ship/manifest.h"

#define INDEX "catalogue.sqlite"
#define ARRIVED_NS (INT64_C(86400) * 1000000000)
enum { DECODERS = 8, DECODERS_OF_ONE = 4 }; /* objects decoded at one time, about 3 MiB each */

static void begin(void *ctx, struct exchange *x)
{
    struct traffic *t = &((struct serve *)ctx)->traffic;
    struct request *r;

    t->requests++;
    t->uploads += exchange_has_body(x);
    if ((r = request_new(ctx, x)))
        route_request(r);
}

static void over(void *ctx, struct exchange *x, unsigned status, uint64_t sent_bytes)
{
    struct traffic *t = &((struct serve *)ctx)->traffic;

    t->requests--;
    t->uploads -= exchange_has_body(x);
    t->answers[status < TRAFFIC_STATUS_MAX ? status : 0]++;
    t->sent_bytes += sent_bytes;
    audit_over(exchange_state(x), status, sent_bytes);
}

static void serve_free(struct serve *s)
{
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    captures_stop(s->captures);
    analyses_stop(s->analyses);
    digests_stop(s->digests);
    http_server_stop(s->http, s->config.grace_ms);
    metrics_server_stop(s->metrics);
    decode_slots_free(s->decoders);
    retention_stop(s->retention);
    notices_close(s->notices);
    gateway_close(s->gateway);
    uploads_close(s->uploads);
    catalogue_close(s->catalogue);
    captures_free(s->captures);
    analyses_free(s->analyses);
    digests_free(s->digests);
    access_free(s->access);
    if (s->root_fd >= 0)
        close(s->root_fd);
    free(s);
}

DEFINE_CLEANUP(struct serve *, serve_free)

/* The index lies with what it is of, unless it is asked for elsewhere. malloc'ed; NULL: in memory. */
static char *index_file(const struct serve *s)
{
    CLEANUP_FD int state = -1;
    struct buf path = {0};
    struct err e;

    if (s->config.state)
        return buf_printf(&path, "%s/" INDEX, s->config.state) < 0 ? NULL : buf_take(&path);
    if (!s->config.root)
        return NULL;
    if ((state = state_folder_open(s->root_fd, &e)) < 0) {
        log_event(EVENT_CATALOGUE_IN_MEMORY, LOG_STR("path", s->config.root), LOG_STR("error", e.msg));
        return NULL;
    }
    if (buf_printf(&path, "%s/" REQUEST_STATE_FOLDER "/" INDEX, s->config.root) < 0)
        return NULL;
    return buf_take(&path);
}

/* Of older evidence nothing is made without being asked: the first reading of a large store would be the beginning of
 * days of work. */
static void on_found(void *ctx, const char *key, const struct manifest *m, int64_t stored_ns)
{
    struct serve *s = ctx;

    if (stored_ns > 0 && stored_ns < clock_wall_ns() - ARRIVED_NS)
        return;
    if (s->digests)
        digests_arrived(s->digests, key, m);
    analysis_arrived(s->analyses, key, m);
}

static void on_bare(void *ctx, const char *key)
{
    struct serve *s = ctx;

    if (s->digests)
        digests_arrived(s->digests, key, NULL);
}

static int begin_background(struct serve *s, struct err *e)
{
    int r = analyses_begin(s->analyses, e);

    return r == 0 && s->digests ? digests_begin(s->digests, e) : r;
}

static int open_catalogue(struct serve *s, struct err *e)
{
    CLEANUP_FREE char *file = index_file(s), *store_url = sink_object_url(s->config.store, "");
    const struct catalogue_config config = {.store = s->config.store,
                                            .store_url = store_url,
                                            .file = file,
                                            .refresh_ms = s->config.refresh_ms,
                                            .found = on_found,
                                            .bare = on_bare,
                                            .found_since_ns = clock_wall_ns() - ARRIVED_NS,
                                            .ctx = s};

    return store_url ? catalogue_open(&config, &s->catalogue, e) : err_set(e, -ENOMEM, "out of memory");
}

static int open_notices(struct serve *s, struct err *e)
{
    struct notices_config config = s->config.notices;
    CLEANUP_FD int folder = -1;
    int r;

    if (!config.targets || config.targets->count == 0)
        return 0;
    if (!s->config.state) {
        if ((r = folder = state_folder_open(s->root_fd, e)) < 0)
            return r;
    } else if ((folder = open(s->config.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        return err_set(e, -FAULT_STATE, "--state %s: %s", s->config.state, strerror(errno));
    }
    config.store = s->config.store;
    config.http = (struct http_options){.ca_file = s->config.store->http.ca_file};
    return notices_open(&config, folder, &s->notices, e);
}

static void on_removed(void *ctx, const char *key)
{
    serve_removed(ctx, key);
}

static int find_suspect(void *ctx, const char *id, char out[SUSPECT_MAX])
{
    const struct serve *s = ctx;

    return s->catalogue ? catalogue_suspect(s->catalogue, id, out) : 0;
}

static int start_retention(struct serve *s, struct err *e)
{
    const struct retention_config config = {.store = s->config.store,
                                            .policy = s->config.retain,
                                            .root_fd = s->root_fd,
                                            .removed = on_removed,
                                            .suspect = find_suspect,
                                            .ctx = s};
    const struct retain_rule *general;

    if (!s->config.retain || s->config.retain->count == 0)
        return 0;
    general = retain_rule_general(s->config.retain);
    if (general && general->limits.free > 0 && s->root_fd < 0)
        return err_set(e, -FAULT_USAGE, "--retain free=: only with --root is there a disk");
    return retention_start(&config, &s->retention, e);
}

static int open_gateway(struct serve *s, struct err *e)
{
    const struct gateway_config config = {.upload_memory = s->config.upload_memory, .presign_ms = s->config.presign_ms};

    return gateway_open(&config, s->config.store, &s->gateway, e);
}

static int open_captures(struct serve *s, struct err *e)
{
    CLEANUP_FREE char *url = sink_object_url(s->config.store, "");
    const struct captures_config config = {.store_url = url};

    return !url || captures_new(&config, &s->captures) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

int serve_start(const struct serve_config *config, struct serve **ret, struct err *e)
{
    CLEANUP(serve_free_ptr) struct serve *s = calloc(1, sizeof(*s));
    struct http_server_options http = config->http;
    int r;

    assert(config->store && ret);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    s->config = *config;
    s->root_fd = -1;
    if (config->notices.targets && config->notices.targets->count > 0 && !config->state && !config->root)
        return err_set(e, -FAULT_USAGE, "--notify with --from wants --state DIR: a folder for notices that wait");
    if (config->root && (s->root_fd = open(config->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return err_set(e, -FAULT_FOLDER, "--root %s: %s", config->root, strerror(errno));
    if ((r = access_new(&config->access, s->root_fd, &s->access, e)) < 0)
        return r;
    if (s->root_fd >= 0 && (r = uploads_open(&config->upload, s->root_fd, &s->uploads, e)) < 0)
        return r;
    if (config->state && (r = file_mkdirs(AT_FDCWD, config->state, 0700)) < 0)
        return err_set(e, -FAULT_STATE, "--state %s: %s", config->state, strerror(-r));
    if (s->root_fd < 0 && (r = open_gateway(s, e)) < 0)
        return r;
    if (!(s->decoders = decode_slots_new(DECODERS, DECODERS_OF_ONE)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = analyses_new(s, &s->analyses, e)) < 0 || (config->digest && (r = digests_new(s, &s->digests, e)) < 0))
        return r;
    if ((r = open_captures(s, e)) < 0 || (r = open_catalogue(s, e)) < 0)
        return r;
    if ((r = open_notices(s, e)) < 0)
        return r;
    if ((r = begin_background(s, e)) < 0)
        return r;
    http.begin = begin;
    http.over = over;
    http.ctx = s;
    counters_start_ns();
    if ((r = metrics_server_start_for(config->metrics, metrics_of_serve, s, &s->metrics, e)) < 0)
        return r;
    if ((r = http_server_start(&http, &s->http, e)) < 0)
        return r;
    if ((r = access_keep_token(s->access, s->root_fd, e)) < 0)
        return r;
    if ((r = start_retention(s, e)) < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

void serve_stop(struct serve *s)
{
    serve_free(s);
}

/* The notice of a case whose manifest was stored just now. An object that only looks like one has none. */
static void give_notice(struct serve *s, const char *key)
{
    CLEANUP(manifest_done) struct manifest m = {0};
    CLEANUP(buf_done) struct buf text = {.ceiling = MANIFEST_MAX};
    CLEANUP_FD int fd = -1;
    struct err ignored;

    if (!text_ends(key, MANIFEST_SUFFIX))
        return;
    if (s->gateway ? gateway_load(s->gateway, key, &text, &ignored) < 0
                   : (fd = root_open(s->root_fd, key, O_RDONLY)) < 0 || file_load_fd(fd, &text) < 0)
        return;
    if (manifest_decode(buf_text(&text), text.size, &m, NULL) == 0)
        notices_add(s->notices, &m);
}

void serve_stored(struct serve *s, const char *key, uint64_t size)
{
    (void)size;
    catalogue_changed(s->catalogue, key);
    if (s->retention)
        retention_stored(s->retention);
    if (s->notices)
        give_notice(s, key);
}

void serve_removed(struct serve *s, const char *key)
{
    if (s->uploads)
        uploads_removed(s->uploads, key);
    if (s->digests)
        digests_removed(s->digests, key);
    analysis_removed(s->analyses, key);
    catalogue_changed(s->catalogue, key);
}
