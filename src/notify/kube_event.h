/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A notice as an Event of Kubernetes' core API, about its pod: what `kubectl describe pod` shows. The
 * limits are those of the API server's validation (pkg/apis/core/validation/events.go).
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "notify/notice.h"

enum { KUBE_EVENT_MESSAGE_MAX = 1024, KUBE_EVENT_NAME_MAX = 254, KUBE_EVENT_PATH_MAX = 1024 };

/* Whether the API server may be asked about its pod: namespace and pod are names as Kubernetes has them. They become
 * parts of a URL. */
bool kube_event_has_pod(const struct notice *n);

/* "OOMKilled": by cause and kind. Static. */
const char *kube_event_reason(const struct notice *n);

/* What died, the sentence of the evidence, and at the end how to get it, which is never cut. */
const char *kube_event_message(const struct notice *n, char out[KUBE_EVENT_MESSAGE_MAX + 1]);

/* The event's name: of the same case and reason the same, so that none is there twice. */
const char *kube_event_name(const struct notice *n, char out[KUBE_EVENT_NAME_MAX]);

struct kube_event_more {
    const char *uid;  /* of the pod; NULL: unknown, and then `kubectl describe` does not find the event */
    const char *node; /* that reports it; NULL: unknown */
};

/* A new Event, which stands for 1 + n->more deaths. 0, -ENOMEM. */
int kube_event_write(const struct notice *n, const struct kube_event_more *more, int64_t now_ns, struct buf *ret);

/* A merge patch (RFC 7386) for the event of an earlier case: message, time and count of this one. */
int kube_event_patch(const struct notice *n, uint64_t count, int64_t now_ns, struct buf *ret);

/* A merge patch for the pod: the annotation salvage.dev/last-case is the case's id. */
int kube_event_annotate(const struct notice *n, struct buf *ret);

/* "/api/v1/namespaces/shop/events", with "/NAME" unless it is NULL; the pod. Into out[KUBE_EVENT_PATH_MAX]. */
const char *kube_event_path(const struct notice *n, const char *name, char *out);
const char *kube_event_pod_path(const struct notice *n, char *out);

/* Foreign: the UID in the API server's answer about a pod. malloc'ed; NULL without one. */
char *kube_event_read_uid(const char *text, size_t size);
