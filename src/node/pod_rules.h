/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rule of the configuration fits a pod: the first whose namespaces, labels and annotations all do.
 */
#pragma once

#include "node/config.h"
#include "place/pod_row.h"

enum { POD_RULE_NONE = -1, POD_RULE_PENDING = -2 };

/* The index of a rule, or one of the two. Where labels are not known, a rule that asks for some may fit: pending, or,
 * with wait false, that rule is passed over. */
int pod_rules_find(const struct config *c, const struct pod_row *p, bool wait);

/* Whether it asks for labels or annotations: such a rule never applies to a whole namespace. */
bool pod_rules_asks(const struct config_rule *r);

/* Whether a rule does. */
bool pod_rules_ask_labels(const struct config *c);

/* Adds the names of the annotations that rules ask for, and that are not kept anyway. 0 or -ENOMEM. */
int pod_rules_annotations(const struct config *c, struct strv *ret);
