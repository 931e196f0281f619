/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a service for credentials: what the providers on the network share. Tries again what may pass, a few times
 * within the time given, wipes what it read.
 */
#pragma once

#include "base/mem.h"
#include "net/cred.h"
#include "net/credanswer.h"

DEFINE_CLEANUP(struct secret *, secret_free)

enum { CRED_LINK_MS = 1000 }; /* for a service of this host or its link: it answers at once, or it is not there */

/* service: "the EKS agent", for messages. r: limit_ms is what each try may take. 0 for every complete answer;
 * -FAULT_UNREACHABLE, -FAULT_STALLED, -FAULT_BUSY (answers of 5xx and 429), -FAULT_TLS … */
int cred_ask(const struct http_options *o, const struct http_request *r, const char *service, struct http_answer *ret,
             struct err *e);

/* http_answer_done, wiped. */
void cred_answer_done(struct http_answer *a);

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
