/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may what. The caller of each request is identified once; the rights are by namespace, the first part of a key.
 * What a caller may not see does not exist for them (404). docs/security.md says what each kind of caller is trusted
 * with.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "net/http_server.h"

enum right {
    RIGHT_LIST = 1,     /* see cases, and read why: manifests, OOM records */
    RIGHT_READ = 2,     /* download evidence and look into it: it holds secrets */
    RIGHT_WRITE = 4,    /* add objects, never over what is there */
    RIGHT_DELETE = 8,   /* delete, pin, replace */
    RIGHT_ADMIN = 16,   /* metrics, and everything of every namespace */
    RIGHT_UNKNOWN = 32, /* not a right: who could tell does not answer, so more rights than these are possible */
};

struct access;
struct caller; /* owned by its request */

/* Texts are borrowed, and live as long as the server. */
struct access_config {
    const char *root;    /* --root: where the token of a first start is kept; NULL: none is made */
    const char *tokens;  /* --tokens */
    bool new_token;      /* --new-token: the root's token is made anew */
    bool anonymous_read; /* --anonymous-read */
};

/* root_fd: of config->root, -1 without; for this call. */
int access_new(const struct access_config *config, int root_fd, struct access **ret, struct err *e);
void access_free(struct access *a);

/* The token that was made at this start, to be shown once; NULL: none was. Borrowed. */
const struct secret *access_made_token(const struct access *a);

/* Identifies the caller. 0; -FAULT_CREDENTIALS: what it presents is not valid (401); -FAULT_BUSY with
 * e->retry_after_ms: too many failures from there (429); -FAULT_UNREACHABLE: who could tell does not answer (503). A
 * caller who presents nothing is "anonymous". */
int access_identify(struct access *a, const struct exchange *x, struct caller **ret, struct err *e);
void caller_free(struct caller *c);

/* For the audit line: "token:ci", "serviceaccount:shop/cart", "anonymous". */
const char *caller_name(const struct caller *c);
bool caller_is_anonymous(const struct caller *c);

/* A set of enum right in one namespace ("": objects without one; "*": in every one). May ask an API server. */
unsigned caller_rights(struct access *a, struct caller *c, const char *namespace);
