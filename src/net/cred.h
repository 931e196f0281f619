/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials: a chain of providers, one file each, tried in order until one has an answer. A provider that is there
 * but broken (half a key pair, a malformed file, an unknown AWS_PROFILE, a role that may not be taken) ends the search
 * with its message: a fall through to other credentials would be a surprise.
 *
 * AWS, in botocore's order: environment, a profile's role, web identity, shared files, container, EC2 instance. Huawei
 * OBS: environment, ECS agency.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "net/http.h"

enum cred_family { CRED_AWS, CRED_OBS, CRED_FAMILY_END };

struct credentials {
    char *access_key;          /* not secret; owned */
    struct secret *secret_key; /* owned */
    struct secret *token;      /* NULL for long-lived keys */
    int64_t expires_ns;        /* 0: never, as far as is known */
    bool notable;              /* a program of the user's was run for them: worth saying */
    const char *source;        /* "environment", "profile default": for messages; static or owned by the provider */
};

struct cred_provider {
    const char *name;
    /* http: what applies to services on the network (CA file); services of this host and its link are asked directly,
     * and for at most a second or two. 0; -ENOENT: not mine, e says why not; else a fault. Blocking. */
    int (*get)(const struct http_options *http, struct credentials *ret, struct err *e);
};

extern const struct cred_provider CRED_ENVIRONMENT;  /* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN */
extern const struct cred_provider CRED_ROLE;         /* role_arn in the profile, by STS, with its source_profile */
extern const struct cred_provider CRED_WEB_IDENTITY; /* AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN: asks STS (IRSA) */
extern const struct cred_provider CRED_PROFILE;      /* keys or credential_process of the profile (net/awsconfig.h) */
extern const struct cred_provider CRED_CONTAINER;    /* AWS_CONTAINER_CREDENTIALS_…: ECS, Fargate, EKS Pod Identity */
extern const struct cred_provider CRED_INSTANCE;     /* the role of the EC2 instance, by IMDSv2 */

extern const struct cred_provider
    CRED_OBS_ENVIRONMENT;                          /* OBS_ACCESS_KEY_ID, OBS_SECRET_ACCESS_KEY, OBS_SECURITY_TOKEN */
extern const struct cred_provider CRED_OBS_AGENCY; /* the agency of the Huawei ECS, by its metadata service */

/* -FAULT_CREDENTIALS if no provider has any: the message lists where was looked. -FAULT_UNREACHABLE and the like if one
 * should have them but cannot be asked now. */
int cred_get(enum cred_family family, const struct http_options *http, struct credentials *ret, struct err *e);
void cred_done(struct credentials *c);

/* When credentials should be renewed, though they still hold: five minutes before their end, or for those of a short
 * life at three quarters of what was left of it at got_ns. INT64_MAX: never. */
int64_t cred_renew_at(const struct credentials *c, int64_t got_ns);

/* The parts of a key as a provider has them. Borrowed. */
struct cred_parts {
    const char *access_key, *secret_key;
    const char *token; /* NULL without */
};

/* For providers: the parts checked and without the line end that a file or a Kubernetes secret often has. ret is then
 * all new but for source. where: "environment", for messages. */
int cred_make(const struct cred_parts *p, const char *where, struct credentials *ret, struct err *e);
