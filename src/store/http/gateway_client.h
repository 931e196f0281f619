/* SPDX-License-Identifier: Apache-2.0
 *
 * What a shipper asks a server in front of a bucket about one upload (gateway_protocol.h). Requests are sent on any
 * thread, each over that thread's connection; our credentials go with them.
 */
#pragma once

#include "store/http/gateway_protocol.h"
#include "store/http/http_store.h"

struct gateway_client {
    struct http_store *store;
    const char *key, *content_type;
    struct upload_events events; /* waiting alone is called, on any thread */
    bool once;                   /* nothing is tried again */
    struct handed_upload upload; /* token owned; NULL: none yet */
};

/* Asks over http. 0: answered with 2xx. -FAULT_GONE: there is no such upload any more; -FAULT_EXISTS: there is an
 * object of this name; -FAULT_REFUSED: it has to pass through the server; -FAULT_DENIED …. */
struct gateway_call {
    struct http *http;
    enum gateway_verb verb;
    const struct gateway_question *body; /* NULL: none */
};
int gateway_client_ask(struct gateway_client *c, const struct gateway_call *call, struct http_answer *answer,
                       struct err *e);

/* Begins an upload, or asks whether one is still there (token not NULL): sets c->upload. Over the store's connection.
 */
int gateway_client_open(struct gateway_client *c, const char *token, struct err *e);

/* The request by which this part, with this digest, can be sent to the bucket. */
int gateway_client_part(struct gateway_client *c, struct http *h, const struct gateway_part *part,
                        struct handed_request *ret, struct err *e);

/* Takes the upload back, best effort, and forgets it. */
void gateway_client_cancel(struct gateway_client *c);
