/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What of a store is kept, in words: "age=30d,count=20,bytes=500G,free=10G" for all of it,
 * "shop:age=90d,bytes=50G" for one namespace, whose limits then take the place of the general ones.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* 0: no limit. */
struct retain_limits {
    uint64_t age_ms;
    uint64_t count; /* cases of one workload */
    uint64_t bytes; /* of the store; in a namespace's rule: of the namespace */
    uint64_t free;  /* bytes that are left on the disk; general rule only */
};

struct retain_rule {
    char *namespace; /* NULL: the general rule. Owned */
    struct retain_limits limits;
};

enum { RETAIN_RULES_MAX = 64 };

struct retain_policy {
    struct retain_rule rule[RETAIN_RULES_MAX];
    unsigned count;
};

/* Adds one rule. -FAULT_USAGE: it does not read so, limits nothing, or is the second of its namespace. */
int retain_policy_add(struct retain_policy *p, const char *text, struct err *e);
int retain_policy_read(struct retain_policy *p, const char *const *texts, unsigned count, struct err *e); /* several */
void retain_policy_done(struct retain_policy *p);

/* The rule of a namespace that is the first `size` bytes of `name`; the general one; NULL: there is none. */
const struct retain_rule *retain_rule_of(const struct retain_policy *p, const char *name, size_t size);
const struct retain_rule *retain_rule_general(const struct retain_policy *p);
