/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS's Security Token Service: roles for those who hold credentials or a token (AWS STS API Reference).
 */
#pragma once

#include "net/awsconfig.h"
#include "net/cred_ask.h"

struct sts_role {
    const char *arn;
    const char *session;     /* RoleSessionName; NULL: "salvage" */
    const char *external_id; /* NULL: none */
    const char *duration;    /* seconds, digits; NULL: STS's own */
    const char *name;        /* for credentials.source */

    /* One of both: AssumeRole, signed with source; AssumeRoleWithWebIdentity, which the token proves. */
    const struct credentials *source;
    const char *token;
};

/* -FAULT_CREDENTIALS with STS's own words, -FAULT_UNREACHABLE …. */
int sts_assume(const struct awsconfig *c, const struct http_options *http, const struct sts_role *role,
               struct credentials *ret, struct err *e);
