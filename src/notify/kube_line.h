/* SPDX-License-Identifier: Apache-2.0
 *
 * One target of Kubernetes' forms, for the notifier: its client, namespaces in which a right is missing, and how many
 * requests it gets in all. A namespace without the right holds up no other one.
 */
#pragma once

#include "base/err.h"
#include "notify/notice.h"
#include "notify/notify_target.h"

enum {
    KUBE_LINE_MINUTE_MAX = 60, /* notices within a minute */
    KUBE_LINE_POD_BURST = 5,   /* notices of like cases of a pod before --notify-every applies to them */
    KUBE_LINE_DENIED_MS = 5 * 60 * 1000,
    KUBE_LINE_NAMESPACES_MAX = 128,
    KUBE_LINE_GIVE_UP_MS = 3600 * 1000 /* as long as the API server keeps events by default (--event-ttl) */
};

struct kube_line;

struct kube_line *kube_line_new(void); /* NULL without memory */
void kube_line_free(struct kube_line *l);

/* When this notice may be tried, monotonic; 0: now. */
uint64_t kube_line_held_until(const struct kube_line *l, const struct notice *n, uint64_t now_ms);

/* As kube_sender_send; logs what it sent. After -FAULT_DENIED the namespace is held; *ret_fresh: it is the first time
 * since a success in it. */
int kube_line_send(struct kube_line *l, const struct notify_target *t, const struct notice *n, bool *ret_fresh,
                   struct err *e);
