/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of an OpenID Connect issuer: signature, issuer, audience and times are checked here; its keys are fetched by
 * its discovery document, kept, and fetched again when they are old or a token names another one, once a minute at
 * most.
 */
#pragma once

#include "serve/claims.h"

struct oidc;

/* Texts are borrowed, and live as long as the server. */
struct oidc_config {
    const char *issuer, *audience, *ca_file;
    struct claim_rules rules;
};

/* -FAULT_USAGE. Nothing is fetched yet. */
int oidc_new(const struct oidc_config *c, struct oidc **ret, struct err *e);
void oidc_free(struct oidc *o);

/* Whether a token says that it is of this issuer. */
bool oidc_is_concerned(const struct oidc *o, const struct secret *token);

/* 1: valid, the caller is in ret; -FAULT_CREDENTIALS with what is wrong with it; -FAULT_UNREACHABLE: its key could not
 * be fetched; -ENOMEM. */
int oidc_identify(struct oidc *o, const struct secret *token, struct caller *ret, struct err *e);
