/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of a Kubernetes API server, as a pod is one: address from the environment, token and CA from the folder of
 * its service account. Each request has a deadline and its answer a ceiling. Safe to use from many threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "net/http.h"

struct kubeapi;

struct kubeapi_config {
    const char *url;     /* "https://10.0.0.1:443"; NULL: KUBERNETES_SERVICE_HOST and _PORT. http:// only to loopback */
    const char *account; /* a folder with token (read again for each request) and ca.crt; NULL: a pod's own */
    const char *ca_file; /* NULL: ca.crt of the account */
    uint64_t deadline_ms; /* of each request; 0: 5 s */
    bool without_token;   /* there may be no token: a proxy on loopback, such as `kubectl proxy`, adds one */
};

/* -FAULT_USAGE, -FAULT_CREDENTIALS: there is no token. Borrows nothing. */
int kubeapi_new(const struct kubeapi_config *c, struct kubeapi **ret, struct err *e);
void kubeapi_free(struct kubeapi *k);

struct kubeapi_call {
    const char *method, *path; /* "PATCH", "/api/v1/namespaces/shop/events/…" */
    const char *content_type;  /* of the body; NULL: application/json */
    const struct buf *body;    /* NULL: none */
};

/* 0 for every complete answer but 429 and 5xx, which are tried three times within the deadline: *ret_status, and its
 * body (of a refusal: kubeapi/api_status.h). -FAULT_UNREACHABLE, -FAULT_STALLED, -FAULT_BUSY, -FAULT_TLS,
 * -FAULT_FORMAT, -FAULT_CREDENTIALS. */
int kubeapi_ask(struct kubeapi *k, const struct kubeapi_call *c, long *ret_status, struct buf *ret, struct err *e);

/* POSTs JSON; ret: the body of a 2xx answer. -FAULT_DENIED: the API server refuses us; -FAULT_UNREACHABLE,
 * -FAULT_STALLED, -FAULT_BUSY, -FAULT_TLS, -FAULT_FORMAT. */
int kubeapi_post(struct kubeapi *k, const char *path, const struct buf *body, struct buf *ret, struct err *e);

/* For requests that the caller makes: a connection of the caller's (http_free), and the URL and the token (as the value
 * of "Authorization") of one request; both owned by the caller. */
int kubeapi_open(const struct kubeapi *k, uint64_t timeout_ms, struct http **ret, struct err *e);
int kubeapi_authorize(const struct kubeapi *k, const char *path, char **ret_url, struct secret **ret_token,
                      struct err *e);
