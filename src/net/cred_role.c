/* SPDX-License-Identifier: Apache-2.0
 *
 * A profile with a role_arn: the role is taken by STS with the credentials of another profile, which may have one of
 * its own, or of the environment, the container or the instance (AWS SDKs and Tools Reference Guide, "Assume role
 * credential provider"). Nothing is kept between runs: it is taken anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/cred_profile.h"
#include "net/sts.h"

enum { CHAIN_MAX = 8 };

/* The chain of source profiles. */
struct chain {
    const struct awsconfig *config;
    const struct http_options *http;
    const char *visited[CHAIN_MAX]; /* borrowed */
    unsigned count;
};

struct role {
    char *arn, *source_profile, *credential_source, *mfa, *external_id, *session, *duration;
};

static void role_done(struct role *r)
{
    free(r->arn);
    free(r->source_profile);
    free(r->credential_source);
    free(r->mfa);
    free(r->external_id);
    free(r->session);
    free(r->duration);
}

static int read_role(const struct awsconfig *c, const char *profile, struct role *ret)
{
    const struct {
        const char *name;
        char **value;
    } settings[] = {
        {"role_arn", &ret->arn},
        {"source_profile", &ret->source_profile},
        {"credential_source", &ret->credential_source},
        {"mfa_serial", &ret->mfa},
        {"external_id", &ret->external_id},
        {"role_session_name", &ret->session},
        {"duration_seconds", &ret->duration},
    };

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (awsconfig_get(c, profile, settings[i].name, NULL, settings[i].value) < 0)
            return -ENOMEM;
    return 0;
}

static bool has(const struct awsconfig *c, const char *profile, const char *name)
{
    CLEANUP(awsconfig_wipe) char *value = NULL;

    return awsconfig_get(c, profile, name, NULL, &value) == 0 && value;
}

static bool has_role(const struct awsconfig *c, const char *profile)
{
    return has(c, profile, "role_arn") && !has(c, profile, "web_identity_token_file");
}

static bool has_keys(const struct awsconfig *c, const char *profile)
{
    return has(c, profile, "aws_access_key_id") || has(c, profile, "aws_secret_access_key");
}

static int check_role(const struct role *r, const char *profile, struct err *e)
{
    uint64_t seconds;

    if (r->mfa)
        return err_set(e, -FAULT_CREDENTIALS,
                       "profile '%s' has mfa_serial beside its role_arn: a code can't be asked for here: take a role "
                       "without MFA, or export the keys of a session",
                       profile);
    if (!r->source_profile == !r->credential_source)
        return err_set(e, -FAULT_CREDENTIALS,
                       "profile '%s' has role_arn, and %s source_profile %s credential_source: it must have one",
                       profile, r->source_profile ? "both" : "neither", r->source_profile ? "and" : "nor");
    if (r->duration && text_parse_uint(r->duration, (uint64_t)12 * 3600, &seconds) < 0)
        return err_set(e, -FAULT_CREDENTIALS,
                       "profile '%s' with role_arn: duration_seconds = %.40s: it is no number of seconds up to 43200",
                       profile, r->duration);
    return 0;
}

static int by_source(const struct chain *chain, const char *profile, const char *source, struct credentials *ret,
                     struct err *e)
{
    static const struct {
        const char *name;
        const struct cred_provider *provider;
    } sources[] = {
        {"Environment", &CRED_ENVIRONMENT},
        {"Ec2InstanceMetadata", &CRED_INSTANCE},
        {"EcsContainer", &CRED_CONTAINER},
    };

    for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
        if (strcasecmp(source, sources[i].name) == 0) {
            int r = sources[i].provider->get(chain->http, ret, e);

            return r < 0 ? err_prefix(e, r == -ENOENT ? -FAULT_CREDENTIALS : r,
                                      "credential_source = %s beside role_arn in profile '%s'", source, profile)
                         : 0;
        }
    return err_set(
        e, -FAULT_CREDENTIALS,
        "profile '%s' with role_arn: credential_source = %.40s: it is Environment, Ec2InstanceMetadata or EcsContainer",
        profile, source);
}

static int check_source(const struct chain *chain, const char *profile, const char *source, struct err *e)
{
    if (!awsconfig_has_profile(chain->config, source))
        return err_set(e, -FAULT_CREDENTIALS,
                       "no profile '%s', which is source_profile beside role_arn in profile '%s'", source, profile);
    for (unsigned i = 0; i < chain->count; i++)
        if (text_eq(chain->visited[i], source) && !(text_eq(source, profile) && has_keys(chain->config, source)))
            return err_set(e, -FAULT_CREDENTIALS,
                           "source_profile = %s beside role_arn in profile '%s' goes round in a circle", source,
                           profile);
    return chain->count < CHAIN_MAX ? 0
                                    : err_set(e, -FAULT_CREDENTIALS,
                                              "profile '%s': more than %d roles behind each other (role_arn, "
                                              "source_profile)",
                                              profile, CHAIN_MAX);
}

static int take_role(struct chain *chain, const char *profile, struct credentials *ret, struct err *e);

/* Keys come first, also if there is a role: they sign the request for it. */
static int by_profile(struct chain *chain, const char *profile, const char *source, struct credentials *ret,
                      struct err *e)
{
    int r = check_source(chain, profile, source, e);

    if (r < 0)
        return r;
    chain->visited[chain->count++] = source;
    if (!has_keys(chain->config, source) && has_role(chain->config, source))
        return take_role(chain, source, ret, e);
    r = cred_profile_get(chain->config, source, chain->http, ret, e);
    return r < 0 ? err_prefix(e, r == -ENOENT ? -FAULT_CREDENTIALS : r,
                              "source_profile = %s beside role_arn in profile '%s'", source, profile)
                 : 0;
}

static int take_role(struct chain *chain, const char *profile, struct credentials *ret, struct err *e)
{
    CLEANUP(role_done) struct role role = {0};
    CLEANUP(cred_done) struct credentials source = {0};
    int r;

    if (read_role(chain->config, profile, &role) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = check_role(&role, profile, e)) < 0 ||
        (r = role.credential_source ? by_source(chain, profile, role.credential_source, &source, e)
                                    : by_profile(chain, profile, role.source_profile, &source, e)) < 0)
        return r;
    r = sts_assume(chain->config, chain->http,
                   &(struct sts_role){.arn = role.arn,
                                      .session = role.session,
                                      .external_id = role.external_id,
                                      .duration = role.duration,
                                      .name = cred_profile_source("role of profile", profile),
                                      .source = &source},
                   ret, e);
    return r < 0 ? err_prefix(e, r, "role_arn = %s of profile '%s', with the keys of %s", role.arn, profile,
                              source.source)
                 : 0;
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    CLEANUP(awsconfig_done) struct awsconfig c = {0};
    struct chain chain = {.config = &c, .http = http};
    int r = awsconfig_open(&c, e);

    if (r < 0)
        return r;
    if (!has_role(&c, c.profile))
        return err_set(e, -ENOENT, "no role_arn in profile %s", c.profile);
    chain.visited[chain.count++] = c.profile;
    return take_role(&chain, c.profile, ret, e);
}

const struct cred_provider CRED_ROLE = {.name = "role", .get = get};
