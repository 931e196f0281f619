/* SPDX-License-Identifier: Apache-2.0
 *
 * One request after its head: what it names, who asks, and what they may. It is the state of its exchange, and ends
 * with it.
 */
#pragma once

#include <jansson.h>

#include "serve/serve.h"

struct request {
    struct serve *serve;
    struct exchange *exchange;
    struct caller *caller;
    char *key;          /* decoded, without the leading '/'; "" is the root, a '/' at its end a folder. Owned */
    char *namespace;    /* the key's first part; "" for an object in the root. Owned */
    unsigned rights;    /* in that namespace */
    bool refused;       /* the caller may not do this, whatever the answer says (404) */
    const char *action; /* for the audit event, by request_audit; NULL: what method and status say */
    char *object;       /* the same; NULL: key. Owned */
    uint64_t bytes;     /* the same; 0: what was sent */
    void *state;        /* the route's own */
    void (*state_done)(void *state);
};

/* Prefix of what is no key: pages, sign-in, the state of uploads. */
#define REQUEST_OWN "-/"

/* Hidden in a root: our own files. Never listed, never served. */
#define REQUEST_STATE_FOLDER ".salvage"

/* Decodes the path of x, checks it, and identifies the caller. NULL after it has answered itself: 400 for a path that
 * is no key ('.', '..', empty parts, control characters, malformed escapes, longer than 1024 bytes), 401, 503. */
struct request *request_new(struct serve *s, struct exchange *x);
void request_free(void *request);

/* The rights in another key's namespace in the place of those in the request's: where a query names an object. */
void request_use_rights_to(struct request *r, const char *key);

/* Whether the caller has these rights (WRITE stands for LIST and READ of a HEAD, and for LIST of a manifest); else
 * answers: anonymous callers 401 (a browser: 303, to sign in), 503 if it cannot be found out, 404 if they may not even
 * list, or 403. */
bool request_may(struct request *r, unsigned rights);

/* For the event of a request that is over: "upload", "deletion" … of an object (NULL: the request's key), and how many
 * bytes came in. */
void request_audit(struct request *r, const char *action, const char *object, uint64_t bytes);

/* Answers with JSON that no cache keeps; NULL: it could not be made for lack of memory (503). */
void request_answer_json(struct request *r, unsigned status, const json_t *root);

/* Answers with the status of a fault: 404, 507, 503 …, and its message. */
void request_fail(struct request *r, int result, const struct err *e);
