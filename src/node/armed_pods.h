/* SPDX-License-Identifier: Apache-2.0
 *
 * Which JVMs of this node's pods are to be armed, and where they dump to: by the table of pods, their annotations and
 * the rules. A pod is armed if its rule arms all, or if it asks for it (salvage.dev/arm: "true") and its rule lets it;
 * never if it says "false". The dump goes to a folder that the agent watches: the one that the pod's annotation
 * salvage.dev/watch names, else the pod's part of a watched tree.
 */
#pragma once

#include "arm/armfollow.h"
#include "base/mem.h"
#include "base/opt.h"

#define POD_ANNOTATION_ARM "salvage.dev/arm"

struct armed_pods;

/* Borrowed; lists and texts live as long as the armed_pods. */
struct armed_pods_config {
    const char *table;            /* RUN/pods.json */
    const char *kubelet;          /* "/var/lib/kubelet"; NULL: folders that annotations name are not watched */
    const struct opt_list *all;   /* rules whose pods are armed */
    const struct opt_list *asked; /* rules whose pods are armed if they ask for it */
    const struct opt_list *trees; /* folders that are watched, which may not exist yet */
};

/* -ENOMEM. */
int armed_pods_new(const struct armed_pods_config *config, struct armed_pods **ret);
void armed_pods_free(struct armed_pods *a);
DEFINE_CLEANUP(struct armed_pods *, armed_pods_free)

/* For struct armfollow_config; ctx: the armed_pods. */
enum armfollow_round armed_pods_round(void *ctx);
const struct armplace *armed_pods_place(void *ctx, const struct jvm *j);
