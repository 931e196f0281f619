/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes that a configuration asks for: a watch of each tree for each destination, and a guard for each
 * destination and each set of guard settings. They are our own commands; a command line is all that they get, beside an
 * environment. Each gets the namespaces of all rules, in their order: those of other rules are left out of it by '!'.
 */
#pragma once

#include <stddef.h>

#include "base/log.h"
#include "base/strv.h"
#include "node/config.h"

#define NODE_ACCEPTED "node.yaml" /* in RUN: the configuration as it was last accepted */

enum {
    COMPONENT_NAME_MAX = 64,
    /* Watches of trees and of spools of cores, guards, records of kills, `core serve`, the pods, requests and arming.
     */
    COMPONENTS_MAX = CONFIG_RULES_MAX * (CONFIG_TREES_MAX + 1) + 2 * CONFIG_DESTINATIONS_MAX + 4
};

struct component_spec {
    char name[COMPONENT_NAME_MAX]; /* "watch/DESTINATION", "guard/RULE", "requests": unique */
    struct strv args;              /* "salvage", "watch", … */
    char *credentials;             /* a file or folder (node/component_env.h); NULL: none; owned */
    bool reads_config;             /* it gets SIGHUP when the configuration has changed */
    char *follows;                 /* a file: when it changes, the component is started anew; NULL: none; owned */
    unsigned line;                 /* of the configuration, for messages */
};

/* The handler of crashes (node/cores.h): no process of ours. A set of options for each destination. */
struct cores_plan {
    char *dir; /* NULL: there is to be none; owned */
    struct component_spec *set;
    size_t sets;
};

struct component_list {
    struct component_spec *item;
    size_t count, capacity;
    struct strv trees; /* of the watches */
    struct cores_plan cores;
};

/* format: of their logs. -ENOMEM. */
int component_list_make(const struct config *c, enum log_format format, struct component_list *ret);
void component_list_done(struct component_list *l);
void component_spec_done(struct component_spec *s);
void cores_plan_done(struct cores_plan *p);

/* For the files that add components: a new one, empty; -ENOMEM. */
int component_list_add(struct component_list *l, struct component_spec **ret);

/* The destination, and what all have in common. */
int component_add_store(struct component_spec *s, const struct config *c, const struct config_destination *d,
                        enum log_format format);

/* Which pods: by the table of pods, and by namespaces where that has none. mine: a flag for each rule. */
int component_add_selection(struct strv *args, const struct config *c, const bool *mine);

/* By namespaces alone, without the rules that ask for labels. What comes after the last rule of ours needs no '!'. */
int component_add_namespaces(struct strv *args, const struct config *c, const bool *mine);

/* components_kills.c: notices of what is stored in this destination; and `guard --kills-only` for the pods without a
 * guard, one for each destination. */
int component_add_notices(struct component_spec *s, const struct config *c, const struct config_destination *d);
int component_add_all_kills(struct component_list *l, const struct config *c, enum log_format format);

/* components_pods.c: what is known of pods; requests of persons; arming, if a rule arms. */
int component_add_pods(struct component_list *l, const struct config *c, enum log_format format);
int component_add_requests(struct component_list *l, const struct config *c, enum log_format format);
int component_add_arm(struct component_list *l, const struct config *c, enum log_format format);

/* components_cores.c: the handler of crashes, the watches of its spool, and its socket's server. */
int component_add_cores(struct component_list *l, const struct config *c, enum log_format format);
