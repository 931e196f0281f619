/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials from the environment, under the names that all of AWS's tools use, and Huawei's. An empty variable is an
 * unset one.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/env.h"
#include "net/cred.h"

static int take(const char *access_name, const char *secret_name, const char *token_name, struct credentials *ret,
                struct err *e)
{
    const char *access_key = env_get(access_name), *secret_key = env_get(secret_name);
    if (!access_key && !secret_key)
        return err_set(e, -ENOENT, "%s is not set", access_name);
    if (!access_key || !secret_key)
        return err_set(e, -FAULT_CREDENTIALS, "%s is set, but %s is not: set both, or neither",
                       access_key ? access_name : secret_name, access_key ? secret_name : access_name);
    int r = cred_make(&(struct cred_parts){access_key, secret_key, env_get(token_name)}, "environment", ret, e);
    if (r == 0)
        ret->source = "environment";
    return r;
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    (void)http;
    const char *token = env_get("AWS_SESSION_TOKEN") ? "AWS_SESSION_TOKEN" : "AWS_SECURITY_TOKEN"; /* its older name */
    return take("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", token, ret, e);
}

/* As Huawei's SDKs name them (OBS SDK for Java, EnvironmentVariableObsCredentialsProvider). */
static int get_obs(const struct http_options *http, struct credentials *ret, struct err *e)
{
    (void)http;
    return take("OBS_ACCESS_KEY_ID", "OBS_SECRET_ACCESS_KEY", "OBS_SECURITY_TOKEN", ret, e);
}

const struct cred_provider CRED_ENVIRONMENT = {.name = "environment", .get = get};
const struct cred_provider CRED_OBS_ENVIRONMENT = {.name = "environment", .get = get_obs};
