/* SPDX-License-Identifier: Apache-2.0
 *
 * /metrics: for whoever may do everything (a monitoring system's token); --metrics shows the same without a token.
 * Namespaces beyond NAMESPACES_MAX are one: a cluster's many must not become many series.
 */
#include "serve/metrics_page.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "linux/volume.h"
#include "serve/route.h"

enum { NAMESPACES_MAX = 100, NAME_MAX_BYTES = 64 };

struct space {
    char name[NAME_MAX_BYTES];
    uint64_t cases, objects, bytes;
};

struct spaces {
    struct space row[NAMESPACES_MAX + 1];
    unsigned count;
};

/* The largest come first. */
static int add_space(void *ctx, const struct usage_row *usage)
{
    struct spaces *s = ctx;
    struct space *row = &s->row[s->count < NAMESPACES_MAX ? s->count : NAMESPACES_MAX];

    if (s->count <= NAMESPACES_MAX)
        snprintf(row->name, sizeof(row->name), "%s", s->count < NAMESPACES_MAX ? usage->namespace : "_others");
    if (s->count <= NAMESPACES_MAX)
        s->count++;
    row->cases += usage->cases;
    row->objects += usage->objects;
    row->bytes += usage->stored_bytes;
    return 0;
}

static void add_spaces(struct serve *s, struct openmetrics *m)
{
    CLEANUP_FREE struct spaces *spaces = calloc(1, sizeof(*spaces));
    struct err e;

    if (!spaces || catalogue_usage(s->catalogue, NULL, add_space, spaces, &e) < 0)
        return;
    openmetrics_family(m, "salvage_cases", METRIC_GAUGE, NULL, "Cases in the store.");
    for (unsigned i = 0; i < spaces->count; i++)
        openmetrics_uint(m, "namespace", spaces->row[i].name, spaces->row[i].cases);
    openmetrics_family(m, "salvage_objects", METRIC_GAUGE, NULL, "Objects in the store, without manifests.");
    for (unsigned i = 0; i < spaces->count; i++)
        openmetrics_uint(m, "namespace", spaces->row[i].name, spaces->row[i].objects);
    openmetrics_family(m, "salvage_stored_bytes", METRIC_GAUGE, "bytes", "Space in the store.");
    for (unsigned i = 0; i < spaces->count; i++)
        openmetrics_uint(m, "namespace", spaces->row[i].name, spaces->row[i].bytes);
}

static void add_traffic(struct serve *s, struct openmetrics *m)
{
    struct traffic *t = &s->traffic;

    openmetrics_family(m, "salvage_http_requests", METRIC_COUNTER, NULL,
                       "Requests by status; 0: the connection broke before there was an answer.");
    for (unsigned i = 0; i < TRAFFIC_STATUS_MAX; i++) {
        char status[12];

        if (t->answers[i] == 0)
            continue;
        snprintf(status, sizeof(status), "%u", i);
        openmetrics_uint(m, "status", status, t->answers[i]);
    }
    openmetrics_family(m, "salvage_http_sent_bytes", METRIC_COUNTER, "bytes", "Bodies of answers.");
    openmetrics_uint(m, NULL, NULL, t->sent_bytes);
    openmetrics_family(m, "salvage_http_requests_in_flight", METRIC_GAUGE, NULL, "Requests under way.");
    openmetrics_uint(m, NULL, NULL, (uint64_t)t->requests);
    openmetrics_family(m, "salvage_http_uploads_in_flight", METRIC_GAUGE, NULL, "Those of them with a body.");
    openmetrics_uint(m, NULL, NULL, (uint64_t)t->uploads);
}

static void add_store(struct serve *s, struct openmetrics *m)
{
    uint64_t size, left;
    struct err e;

    openmetrics_family(m, "salvage_ready", METRIC_GAUGE, NULL, "1: the store answers, and was read once.");
    openmetrics_uint(m, NULL, NULL, catalogue_ready(s->catalogue, &e));
    openmetrics_family(m, "salvage_listed_timestamp_seconds", METRIC_GAUGE, "seconds",
                       "When the store was listed last.");
    openmetrics_time(m, NULL, NULL, catalogue_listed_ns(s->catalogue));
    if (s->root_fd < 0 || volume_space(s->root_fd, &size, &left) < 0)
        return;
    openmetrics_family(m, "salvage_disk_size_bytes", METRIC_GAUGE, "bytes", "The file system of the root.");
    openmetrics_uint(m, NULL, NULL, size);
    openmetrics_family(m, "salvage_disk_free_bytes", METRIC_GAUGE, "bytes", "Room that is left on it.");
    openmetrics_uint(m, NULL, NULL, left);
}

void metrics_of_serve(void *ctx, struct openmetrics *m)
{
    add_spaces(ctx, m);
    add_traffic(ctx, m);
    add_store(ctx, m);
    analyses_metrics(((struct serve *)ctx)->analyses, m);
    digests_metrics(((struct serve *)ctx)->digests, m);
}

void metrics_answer(struct request *r)
{
    CLEANUP(openmetrics_done) struct openmetrics m = {0};

    r->rights |= caller_rights(r->serve->access, r->caller, "*");
    if (!request_may(r, RIGHT_ADMIN))
        return;
    openmetrics_common(&m);
    metrics_of_serve(r->serve, &m);
    if (openmetrics_end(&m) < 0) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    exchange_add_header(r->exchange, "Content-Type", OPENMETRICS_TYPE);
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_answer(r->exchange, 200, buf_text(&m.text), m.text.size);
}
