/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may what, by Kubernetes. A token of a service account that was made for us (its audience) is a pod: it may write
 * in its namespace. Any other token that the API server knows is a person: what they may do in a namespace follows from
 * what they may do to its pods. Answers are believed for some seconds; without an API server nobody gets in.
 */
#pragma once

#include <stdbool.h>

#include "base/opt.h"
#include "serve/caller.h"

struct kube_access;

/* Texts are borrowed for the call of kube_access_new. */
struct kube_access_config {
    const char *api, *account;        /* --kubernetes-api, --kubernetes-account: see kubeapi.h */
    const char *audience;             /* of pods' tokens: "salvage" */
    const char *list, *read, *delete; /* "get pods/log", "create pods/exec", "delete pods" */
    struct opt_list agents;           /* "NAMESPACE/ACCOUNT" of nodes' agents */
    bool accounts;                    /* service accounts without the audience count as persons */
};

/* -FAULT_USAGE, -FAULT_CREDENTIALS. */
int kube_access_new(const struct kube_access_config *c, struct kube_access **ret, struct err *e);
void kube_access_free(struct kube_access *k);

/* 1: the token's owner is in ret; 0: the API server does not know it; -FAULT_CREDENTIALS: it does, and the token is of
 * a kind that does not count, e says why; -FAULT_UNREACHABLE, -ENOMEM. hash: the token's SHA-256. */
int kube_access_identify(struct kube_access *k, const struct secret *token, const unsigned char hash[32],
                         struct caller *ret, struct err *e);

/* Those of the wanted rights that a person, whose kube_user is set, has in a namespace or "*"; RIGHT_UNKNOWN where the
 * API server does not answer. A question to it for each right and namespace. */
unsigned kube_access_rights(struct kube_access *k, const struct caller *c, const char *namespace, unsigned wanted);

/* Whether such a person may `create pods/exec` of a pod: 1, 0, or -FAULT_UNREACHABLE, -ENOMEM. */
int kube_access_may_exec(struct kube_access *k, const struct caller *c, const char *namespace, const char *pod);
