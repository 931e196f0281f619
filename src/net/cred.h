/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS-style credentials: a chain of providers, one file each, tried in order until one has an answer. A provider that
 * is there but broken (half a key pair, a malformed file, an unknown AWS_PROFILE) ends the search with its story: a
 * fall through to other credentials would be a surprise.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

struct credentials {
    char *access_key;          /* not secret; owned */
    struct secret *secret_key; /* owned */
    struct secret *token;      /* NULL for long-lived keys */
    int64_t expires_ns;        /* 0: never */
    const char *source;        /* "environment", "profile default": for messages; static or owned by the provider */
};

struct cred_provider {
    const char *name;
    int (*get)(struct credentials *ret, struct err *e); /* 0; -ENOENT: not mine, e says why not; else a fault */
};

extern const struct cred_provider CRED_ENVIRONMENT; /* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN */
extern const struct cred_provider CRED_PROFILE; /* AWS_PROFILE in AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials */

/* -FAULT_CREDENTIALS if no provider has any: the message lists where was looked. */
int cred_get(struct credentials *ret, struct err *e);
void cred_done(struct credentials *c);

/* The region: AWS_REGION, AWS_DEFAULT_REGION, the profile's in AWS_CONFIG_FILE or ~/.aws/config; malloc'ed; -ENOENT. */
int cred_region(char **ret);

/* For providers: the parts of a key, checked and without the line end that a file or a Kubernetes secret often has.
 * ret is then all new but for source. token may be NULL. where: "environment", for messages. */
int cred_make(const char *access_key, const char *secret_key, const char *token, const char *where,
              struct credentials *ret, struct err *e);

/* The region in AWS_PROFILE's section of AWS_CONFIG_FILE or ~/.aws/config; malloc'ed; -ENOENT. */
int cred_profile_region(char **ret);
