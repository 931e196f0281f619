/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The configuration of `node` (docs/node.md), from a YAML text. Opens no file: whether credentials exist
 * and conditions are well-formed is found out elsewhere (node/components.h, cmd/node.c). All errors are found at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/opt.h"
#include "node/config_limits.h"
#include "node/config_tree.h"

enum { CONFIG_DESTINATIONS_MAX = 32, CONFIG_RULES_MAX = 64, CONFIG_TREES_MAX = 8, CONFIG_PAIRS_MAX = 16 };

/* Strings point into the configuration's tree; NULL where the text has none. */
struct config_destination {
    const char *name, *url, *endpoint, *region, *ca_file, *credentials, *bandwidth, *public_url;
    bool path_style, is_http;
    unsigned line;
};

/* A rule has the settings of its own `guard`, else those of the whole configuration. */
struct config_guard {
    bool on;
    struct opt_list when, actions; /* empty: guard's defaults */
    const char *cooldown, *max_cases, *max_cases_tenant, *max_cases_all, *give_up;
};

/* Cores of processes that crash: node/cores.h. */
struct config_cores {
    bool on, any_limit, chain;
    const char *dir, *rate, *core_max, *hold, *spool, *spool_max, *at_once, *pattern;
    unsigned line;
};

/* Labels or annotations that a pod must have, all of them; the value "*" is any. */
struct config_pairs {
    struct config_pair {
        const char *name, *value;
    } item[CONFIG_PAIRS_MAX];
    unsigned count;
};

/* Which JVMs of a rule's pods are armed. */
enum config_arm {
    CONFIG_ARM_NONE,
    CONFIG_ARM_ASKED, /* those whose pod asks for it */
    CONFIG_ARM_ALL
};

struct config_rule {
    const char *name;
    struct opt_list namespaces; /* globs */
    struct config_pairs labels, annotations;
    const struct config_destination *to;
    bool watch, cores, kills, requests; /* kills: they are recorded, also without a guard */
    struct config_guard guard;
    enum config_arm arm;
    unsigned line;
};

/* Where what is known of this node's pods comes from (node/pods.h). */
struct config_pods {
    bool on;
    const char *node, *api, *account, *kubelet, *kubelet_ca; /* NULL: the defaults */
};

/* Requests of persons, taken from `serve`. */
struct config_requests {
    const char *url; /* NULL: none are taken */
    const char *ca_file, *credentials;
    unsigned line;
};

struct config_watch {
    struct opt_list trees;
    bool volumes; /* folders in pods that an annotation names */
    const char *layout, *dir_mode, *retain_age, *retain_bytes;
};

/* Notices, as the options. */
struct config_notify {
    struct opt_list targets;
    const char *file, *every;
};

struct config {
    struct config_node *tree; /* owned */
    struct config_destination destination[CONFIG_DESTINATIONS_MAX];
    size_t destinations;
    struct config_rule rule[CONFIG_RULES_MAX]; /* the first that a namespace fits counts */
    size_t rules;
    struct config_watch watch;
    struct config_guard guard;
    struct config_cores cores;
    struct config_limits limits;
    const char *path; /* of the file, for components that read it; set by its reader, NULL: unknown */
    char *run;        /* the folder that all components share (node/run_folder.h); owned */
    struct config_pods pods;
    struct config_notify notify;
    bool kills;
    struct config_requests requests;
    bool arm; /* pods that ask for it are armed, unless their rule says otherwise */
    const char *state, *pod_logs, *metrics;
    const char *kubelet; /* its folder */
    uint64_t grace_ms;
};

/* *ret: to be freed by config_free; untouched on failure. -EINVAL: the errors say why; -ENOMEM. */
int config_read(const char *data, size_t size, struct config **ret, struct config_errors *errors);
void config_free(struct config *c);
DEFINE_CLEANUP(struct config *, config_free)
