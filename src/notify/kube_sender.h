/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices as Events of Kubernetes (notify/kube_event.h), and the annotation salvage.dev/last-case. Needs the rights
 * `create events` and `patch pods`; with `patch events` the event of an earlier like case counts on instead of a new
 * one, with `get pods` the UID of a pod is asked for where the case does not have it. Blocking; for one thread.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "notify/notice.h"

enum { KUBE_SENDER_DEADLINE_MS = 10 * 1000 };

struct kube_sender;

/* url: of the API server; "": the one of this pod. -FAULT_USAGE, -FAULT_CREDENTIALS, -ENOMEM. */
int kube_sender_new(const char *url, struct kube_sender **ret, struct err *e);
void kube_sender_free(struct kube_sender *s);

enum kube_sending { KUBE_SEND_EVENT, KUBE_SEND_ANNOTATION };

/* 0 once the API server has it; *ret_unbound: the event is there without the pod's UID, and `kubectl describe` does not
 * show it. -FAULT_DENIED: the message names the right that is missing in the notice's namespace. -FAULT_NO_OBJECT,
 * -FAULT_REFUSED: it will never be taken. Others may pass: -FAULT_BUSY, -FAULT_UNREACHABLE … */
int kube_sender_send(struct kube_sender *s, enum kube_sending what, const struct notice *n, bool *ret_unbound,
                     struct err *e);
