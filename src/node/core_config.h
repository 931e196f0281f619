/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The handler's configuration, a file beside its program, as a core_pattern has no room for it: JSON,
 * schema salvage.core-config/1. `core install` writes it, 0600: the environment that it keeps may contain the store's
 * keys.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

enum { CORE_CONFIG_MAX = 1024 * 1024, CORE_BEFORE_MAX = 256, CORE_ARGUMENTS_MAX = 512, CORE_SETS_MAX = 32 };

/* One way to take a core, with one store. */
struct core_set {
    struct strv arguments;   /* options, as `core install` got them */
    struct strv environment; /* NAME=value */
};

struct core_config {
    struct core_set set[CORE_SETS_MAX]; /* the first that names a pod's namespace takes its core */
    size_t sets;
    bool by_node;                  /* `node` has installed it, and takes it out again */
    char pattern[CORE_BEFORE_MAX]; /* core_pattern before the first install */
    uint64_t pipe_limit;           /* core_pipe_limit, likewise */
    char ours[CORE_BEFORE_MAX];    /* the core_pattern that was set */
};

/* The next set, empty; NULL: there are too many. */
struct core_set *core_config_add(struct core_config *c);

int core_config_encode(const struct core_config *c, struct buf *ret);

/* Strict. -FAULT_FORMAT, -ENOMEM; ret is untouched on failure. */
int core_config_decode(const char *json, size_t size, struct core_config *ret, struct err *e);

void core_config_done(struct core_config *c);
