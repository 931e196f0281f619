/* SPDX-License-Identifier: Apache-2.0
 *
 * A role for whoever holds a token: EKS's IAM roles for service accounts (IRSA), and other OpenID Connect providers.
 * The token file is read anew each time, as its writer replaces it. STS AssumeRoleWithWebIdentity is not signed: the
 * token is the proof (AWS STS API Reference).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "format/url.h"
#include "net/cred_ask.h"

enum { LIMIT_MS = 15000 };

/* A region's own endpoint answers when others are down; AWS recommends it. Regions of China have a domain of theirs. */
static int find_endpoint(char **ret)
{
    const char *given = env_get("AWS_ENDPOINT_URL_STS"), *mode = env_get("AWS_STS_REGIONAL_ENDPOINTS");
    CLEANUP_FREE char *region = NULL;
    int r;

    if (!given)
        given = env_get("AWS_ENDPOINT_URL");
    if (given) {
        size_t size = strlen(given);

        while (size > 0 && given[size - 1] == '/')
            size--;
        *ret = strndup(given, size);
        return *ret ? 0 : -ENOMEM;
    }
    if ((r = cred_region(&region)) == -ENOMEM)
        return r;
    if (r < 0 || text_eq(mode, "legacy") || region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        r = asprintf(ret, "https://sts.amazonaws.com");
    else
        r = asprintf(ret, "https://sts.%s.amazonaws.com%s", region, text_starts(region, "cn-") ? ".cn" : "");
    if (r < 0)
        *ret = NULL;
    return r < 0 ? -ENOMEM : 0;
}

static int add_parameter(struct buf *b, const char *name, const char *value)
{
    CLEANUP(cred_token_done) char *encoded = url_encode(value, strlen(value), 0);

    return encoded ? buf_printf(b, "&%s=%s", name, encoded) : -ENOMEM;
}

/* Born with all its room, so that no copies of the token are left behind when it grows. */
static int make_body(const char *role, const char *token, struct buf *ret)
{
    const char *session = env_get("AWS_ROLE_SESSION_NAME");
    size_t room = 4096 + 3 * strlen(token);
    char *space = calloc(1, room);
    int r;

    if (!space)
        return -ENOMEM;
    *ret = (struct buf){.data = space, .capacity = room};
    r = buf_add_text(ret, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
    if (r == 0)
        r = add_parameter(ret, "RoleArn", role);
    if (r == 0)
        r = add_parameter(ret, "RoleSessionName", session ? session : "salvage");
    return r == 0 ? add_parameter(ret, "WebIdentityToken", token) : r;
}

static void body_done(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->capacity);
    buf_done(b);
}

static int ask(const struct http_options *http, const char *role, const char *token, struct http_answer *ret,
               struct err *e)
{
    CLEANUP_FREE char *endpoint = NULL;
    CLEANUP(buf_done) struct buf url = {0};
    CLEANUP(body_done) struct buf body = {0};
    struct http_request r = {.method = "POST", .limit_ms = LIMIT_MS};

    if (find_endpoint(&endpoint) < 0 || buf_printf(&url, "%s/", endpoint) < 0 || make_body(role, token, &body) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r.url = buf_text(&url);
    r.body = body.data;
    r.body_size = body.size;
    http_add_header(&r, "Content-Type", "application/x-www-form-urlencoded");
    http_add_header(&r, "Accept", "application/xml");
    return cred_ask(http, &r, "STS", ret, e);
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    const char *path = env_get("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = env_get("AWS_ROLE_ARN");
    CLEANUP(cred_token_done) char *token = NULL;
    CLEANUP(cred_answer_done) struct http_answer answer = {0};
    int r;

    if (!path)
        return err_set(e, -ENOENT, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    if (!role)
        return err_set(e, -FAULT_CREDENTIALS,
                       "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not: set both, or neither");
    if ((r = cred_read_token(path, "AWS_WEB_IDENTITY_TOKEN_FILE", &token, e)) < 0 ||
        (r = ask(http, role, token, &answer, e)) < 0)
        return r;
    r = cred_take(&answer, credanswer_parse_sts, credanswer_parse_sts_error, "STS", "web identity", ret, e);
    if (r == -FAULT_CREDENTIALS)
        err_set(e, r, "%s (%s, %s): see the role's trust policy", e->msg, role, path);
    return r;
}

const struct cred_provider CRED_WEB_IDENTITY = {.name = "web identity", .get = get};
