/* SPDX-License-Identifier: Apache-2.0
 *
 * The role that a token grants: EKS's IAM roles for service accounts (IRSA), and other OpenID Connect providers.
 * The token file is read anew each time, as its writer replaces it. Of each setting the variable comes before the
 * profile.
 */
#include <errno.h>
#include <string.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/cred_profile.h"
#include "net/sts.h"

static const char FILE_VARIABLE[] = "AWS_WEB_IDENTITY_TOKEN_FILE", FILE_SETTING[] = "web_identity_token_file";

struct identity {
    char *path, *role, *session;
    const char *where; /* what names the path */
};

static void identity_done(struct identity *i)
{
    free(i->path);
    free(i->role);
    free(i->session);
}

static int take(const struct awsconfig *c, const char *profile, const char *variable, const char *name, char **ret)
{
    const char *value = variable ? env_get(variable) : NULL;

    if (!value)
        return awsconfig_get(c, profile, name, NULL, ret);
    *ret = strdup(value);
    return *ret ? 0 : -ENOMEM;
}

static int read_identity(const struct awsconfig *c, const char *profile, bool environment, struct identity *ret)
{
    ret->where = environment && env_get(FILE_VARIABLE) ? FILE_VARIABLE : FILE_SETTING;
    if (take(c, profile, environment ? FILE_VARIABLE : NULL, FILE_SETTING, &ret->path) < 0 ||
        take(c, profile, environment ? "AWS_ROLE_ARN" : NULL, "role_arn", &ret->role) < 0 ||
        take(c, profile, environment ? "AWS_ROLE_SESSION_NAME" : NULL, "role_session_name", &ret->session) < 0)
        return -ENOMEM;
    return 0;
}

static int assume(const struct awsconfig *c, const struct identity *i, const struct http_options *http,
                  struct credentials *ret, struct err *e)
{
    CLEANUP(cred_token_done) char *token = NULL;
    int r;

    if (!i->path)
        return err_set(e, -ENOENT, "%s is not set", FILE_VARIABLE);
    if (!i->role)
        return err_set(e, -FAULT_CREDENTIALS, "%s is set, but %s is not: set both, or neither", i->where,
                       text_eq(i->where, FILE_VARIABLE) ? "AWS_ROLE_ARN" : "role_arn");
    if ((r = cred_read_token(i->path, i->where, &token, e)) < 0)
        return r;
    r = sts_assume(c, http,
                   &(struct sts_role){.arn = i->role, .session = i->session, .name = "web identity", .token = token},
                   ret, e);
    if (r == -FAULT_CREDENTIALS)
        err_set(e, r, "%s (%s, %s): see the role's trust policy", e->msg, i->role, i->path);
    return r;
}

int cred_profile_web_identity(const struct awsconfig *c, const char *profile, const struct http_options *http,
                              struct credentials *ret, struct err *e)
{
    CLEANUP(identity_done) struct identity i = {0};

    return read_identity(c, profile, false, &i) < 0 ? err_set(e, -ENOMEM, "out of memory")
                                                    : assume(c, &i, http, ret, e);
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    CLEANUP(awsconfig_done) struct awsconfig c = {0};
    CLEANUP(identity_done) struct identity i = {0};
    int r = awsconfig_open(&c, e);

    if (r < 0)
        return r;
    return read_identity(&c, c.profile, true, &i) < 0 ? err_set(e, -ENOMEM, "out of memory")
                                                      : assume(&c, &i, http, ret, e);
}

const struct cred_provider CRED_WEB_IDENTITY = {.name = "web identity", .get = get};
