/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of a Kubernetes API server, as a pod is one: address from the environment, token and CA from the folder of
 * its service account. Each request has a deadline and its answer a ceiling. Safe to use from many threads.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct kubeapi;

struct kubeapi_config {
    const char *url;     /* "https://10.0.0.1:443"; NULL: KUBERNETES_SERVICE_HOST and _PORT. http:// only to loopback */
    const char *account; /* a folder with token (read again for each request) and ca.crt; NULL: a pod's own */
    uint64_t deadline_ms; /* of each request; 0: 5 s */
};

/* -FAULT_USAGE, -FAULT_CREDENTIALS: there is no token. Borrows nothing. */
int kubeapi_new(const struct kubeapi_config *c, struct kubeapi **ret, struct err *e);
void kubeapi_free(struct kubeapi *k);

/* POSTs JSON; ret: the body of a 2xx answer. -FAULT_DENIED: the API server refuses us; -FAULT_UNREACHABLE,
 * -FAULT_STALLED, -FAULT_BUSY, -FAULT_TLS, -FAULT_FORMAT. */
int kubeapi_post(struct kubeapi *k, const char *path, const struct buf *body, struct buf *ret, struct err *e);
