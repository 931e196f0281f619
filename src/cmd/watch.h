/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of `watch`, which a worker reads too: it is started with the same command line.
 */
#pragma once

#include "notify/notify_options.h"
#include "ship/kind.h"
#include "ship/plan.h"
#include "watch/retention.h"

struct watch_options {
    struct plan_options plan;
    struct notify_options notify;
    struct opt_list include, exclude, namespaces;
    uint64_t settle_ms, grace_ms, stuck_ms;
    struct retention retention;
    const char *retain_bytes, *keep_free;
    const char *layout, *dir_mode; /* as given; NULL without */
    struct opt_list files, pod_rules;
    const char *pods, *kubelet; /* NULL without */
    uint64_t events_fd;         /* 0: none */
    const char *arm_dir;        /* NULL without */
    const char *ready;          /* NULL without */
    const char *metrics;        /* NULL without */
    bool core_spool;
    int follow; /* enum follow */
    bool recursive, once, arm;
};

/* As opt_parse: the number of operands, which *ret_dirs (to be freed) points to. */
int watch_parse(int argc, char **argv, struct watch_options *ret, char ***ret_dirs, struct err *e);

/* Whether `watch` would accept this command line, as far as that is known without its files. */
int watch_check(int argc, char **argv, struct err *e);
