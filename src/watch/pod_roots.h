/* SPDX-License-Identifier: Apache-2.0
 *
 * The roots that pods' annotations ask for (place/pod_annotation.h), as the node's table of pods has them now: added
 * when their folder is there, and removed when it ends, after a last scan. A folder that is not there yet is tried
 * again for a minute, and whenever the table changes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/opt.h"

struct folder;
struct pod_roots;
struct source;

struct pod_roots_config {
    const char *table;            /* RUN/pods.json (place/pod_table.h) */
    const char *kubelet;          /* "/var/lib/kubelet" */
    const char *proc;             /* "/proc" but in tests */
    const struct opt_list *rules; /* only pods of these rules of the configuration */
};

struct pod_roots_events {
    void *ctx;
    void (*added)(void *ctx, struct folder *root); /* its claims of an earlier run are to be read, and it is scanned */
    void (*last_scan)(void *ctx,
                      struct folder *root); /* its pod or container has ended: what is complete is to be claimed */
    void (*removed)(void *ctx);
};

/* The source outlives it. -errno. */
int pod_roots_new(uv_loop_t *loop, const struct pod_roots_config *c, const struct pod_roots_events *events,
                  struct source *s, struct pod_roots **ret);

/* Adds what the table has now. */
void pod_roots_start(struct pod_roots *p);

/* From the source: this root has ended, or what it waits for is there. Nothing is removed by this call. */
void pod_roots_changed(struct pod_roots *p, const struct folder *root);

void pod_roots_close(struct pod_roots *p); /* may be NULL; before the loop ends */
void pod_roots_free(struct pod_roots *p);  /* may be NULL; after the loop's end */
