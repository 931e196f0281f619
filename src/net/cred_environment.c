/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials from the environment, under the names that all of AWS's tools use. An empty variable is an unset one.
 */
#include <errno.h>
#include <stdlib.h>

#include "net/cred.h"

static const char *read_variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static int get(struct credentials *ret, struct err *e)
{
    const char *access_key = read_variable("AWS_ACCESS_KEY_ID"), *secret_key = read_variable("AWS_SECRET_ACCESS_KEY");
    if (!access_key && !secret_key)
        return err_set(e, -ENOENT, "AWS_ACCESS_KEY_ID is not set");
    if (!access_key || !secret_key)
        return err_set(e, -FAULT_CREDENTIALS, "%s is set, but %s is not: set both, or neither",
                       access_key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                       access_key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    int r = cred_make(access_key, secret_key, read_variable("AWS_SESSION_TOKEN"), "environment", ret, e);
    if (r == 0)
        ret->source = "environment";
    return r;
}

const struct cred_provider CRED_ENVIRONMENT = {.name = "environment", .get = get};
