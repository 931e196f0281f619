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

enum { COMPONENT_NAME_MAX = 64, COMPONENTS_MAX = CONFIG_RULES_MAX * (CONFIG_TREES_MAX + 1) };

struct component_spec {
    char name[COMPONENT_NAME_MAX]; /* "watch/DESTINATION", "guard/RULE": unique */
    struct strv args;              /* "salvage", "watch", … */
    char *credentials;             /* a file or folder (node/component_env.h); NULL: none; owned */
    unsigned line;                 /* of the configuration, for messages */
};

struct component_list {
    struct component_spec *item;
    size_t count, capacity;
    struct strv trees; /* of the watches */
};

/* format: of their logs. -ENOMEM. */
int component_list_make(const struct config *c, enum log_format format, struct component_list *ret);
void component_list_done(struct component_list *l);
void component_spec_done(struct component_spec *s);
