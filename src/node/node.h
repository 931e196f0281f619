/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs what a configuration asks for, and follows the configuration: a changed file is read again, by itself or on
 * SIGHUP, and only components whose command line has changed are started anew. A configuration with an error changes
 * nothing. Touches no evidence and no store: it must outlive its components.
 */
#pragma once

#include "base/buf.h"
#include "base/strv.h"
#include "node/components.h"

struct node_config {
    const char *path;    /* of the configuration */
    enum log_format log; /* of the components' logs */
    unsigned reread_ms;  /* how often the file and credentials are looked at */
    /* Whether the component's command would accept its command line; an error is one of the configuration. */
    int (*check)(const struct component_spec *s, struct err *e);
};

/* What a configuration asks for. */
struct node_plan {
    struct component_list components;
    uint64_t grace_ms;
    struct strv label_rules; /* names of the rules that ask for labels or annotations */
    char *run;               /* node/run_folder.h */
    struct buf text;         /* the file's */
    char *metrics;           /* an address; NULL: none */
};
void node_plan_done(struct node_plan *p);

/* Reads the file. -EINVAL: the errors say why; -errno. */
int node_read(const struct node_config *c, struct node_plan *ret, struct config_errors *errors);

/* Runs until SIGTERM or SIGINT, and then until all components have ended. plan: taken over. 0 or -errno. */
int node_run(const struct node_config *c, struct node_plan *plan, struct err *e);
