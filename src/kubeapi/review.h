/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The two reviews of Kubernetes' API: who a token belongs to (authentication.k8s.io/v1 TokenReview), and
 * whether a user may do something (authorization.k8s.io/v1 SubjectAccessReview).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/secret.h"

enum { REVIEW_MAX = 64 * 1024, REVIEW_NAME_MAX = 253 };

/* Whoever a token belongs to. */
struct review_user {
    json_t *user; /* as the API server has it: username, uid, groups, extra; owned */
};

/* What a service account's user name says, "system:serviceaccount:NAMESPACE:NAME", and its pod where a token is bound
 * to one. */
struct review_account {
    char namespace[64], name[REVIEW_NAME_MAX + 1], pod[REVIEW_NAME_MAX + 1]; /* pod: "" if not known */
    char node[REVIEW_NAME_MAX + 1]; /* the pod's, from Kubernetes 1.30 on; "" if not known */
};

/* What may be done with what: "get pods/log", "delete pods", "list cases.salvage.example". */
struct review_action {
    char verb[32], group[REVIEW_NAME_MAX + 1], resource[64], subresource[64];
};

/* What it is done to. namespace NULL: all of them. name NULL: all of a namespace. */
struct review_object {
    const char *namespace, *name;
};

/* The bodies of requests. audience NULL: the API server's. -ENOMEM. */
int review_token_write(const struct secret *token, const char *audience, struct buf *ret);
int review_access_write(const struct review_user *user, const struct review_action *action,
                        const struct review_object *object, struct buf *ret);

/* The answers. 1: the token is valid, for that audience, and ret is filled; 0: it is not; -EBADMSG: no such answer. */
int review_token_read(const char *text, size_t size, const char *audience, struct review_user *ret);
/* 1: allowed; 0: not; -EBADMSG. */
int review_access_read(const char *text, size_t size);

/* A user as text, and back: for a cache. -ENOMEM; -EBADMSG. */
int review_user_write(const struct review_user *user, struct buf *ret);
int review_user_read(const char *text, size_t size, struct review_user *ret);
const char *review_user_name(const struct review_user *user);
void review_user_done(struct review_user *user);

/* 0; -ENOENT: the user is no service account. */
int review_account_get(const struct review_user *user, struct review_account *ret);

/* -EINVAL. */
int review_action_parse(const char *text, struct review_action *ret);

/* Whether a text can be a namespace's name (RFC 1123 label). */
bool review_is_namespace(const char *text);
