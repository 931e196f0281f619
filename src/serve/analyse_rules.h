/* SPDX-License-Identifier: Apache-2.0
 *
 * Which cases a server analyses: "oom" for all, "shop=always" for one namespace, which then counts instead.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum analyse_when { ANALYSE_NEVER, ANALYSE_REQUEST, ANALYSE_OOM, ANALYSE_ALWAYS };

enum { ANALYSE_RULES_MAX = 64, ANALYSE_NAMESPACE_MAX = 256 };

struct analyse_rules {
    struct {
        char namespace[ANALYSE_NAMESPACE_MAX];
        enum analyse_when when;
    } rule[ANALYSE_RULES_MAX];
    unsigned count;
    enum analyse_when others;
};

/* Without any: on request. -FAULT_USAGE. */
int analyse_rules_read(const char *const *texts, unsigned count, struct analyse_rules *ret, struct err *e);

/* id: of a case; its first part is the namespace. */
enum analyse_when analyse_rule_of(const struct analyse_rules *r, const char *id);
