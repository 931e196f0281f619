/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a service for credentials: what the providers on the network share.
 */
#pragma once

#include "base/mem.h"
#include "net/cred.h"
#include "net/credanswer.h"
#include "net/service.h"

DEFINE_CLEANUP(struct secret *, secret_free)

enum {
    CRED_LINK_MS = 1000,     /* a try, for a service of this host or its link: it answers at once, or it is not there */
    CRED_LINK_MOST_MS = 5000 /* for all requests to it */
};

/* One request, as service_ask; all tries take at most twice r's limit_ms, which is what each may take. service: "the
 * EKS agent", for messages. */
int cred_ask(const struct http_options *o, struct http_request *r, const char *service, struct http_answer *ret,
             struct err *e);

/* A file with a token in it, its white space trimmed; NULL-terminated, wiped and freed by cred_token_done. */
int cred_read_token(const char *path, const char *variable, char **ret, struct err *e);
void cred_token_done(char **token);

/* A service that hands out credentials, and its answers. */
struct cred_service {
    const char *name;   /* "the EKS agent", for messages */
    const char *source; /* for credentials.source */
    int (*parse)(const char *text, size_t size, struct credanswer *ret);
    int (*parse_error)(const char *text, size_t size, char **ret_code, char **ret_message);
};

/* The keys of an answer: 200, and well-formed. Else -FAULT_CREDENTIALS with the service's own words, where it has some.
 */
int cred_take(const struct cred_service *s, const struct http_answer *a, struct credentials *ret, struct err *e);
