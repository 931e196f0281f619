/* SPDX-License-Identifier: Apache-2.0
 *
 * The role of an ECS or Fargate task, or of a pod (EKS Pod Identity): an agent on the host's own link hands it out (AWS
 * SDKs and Tools Reference Guide, "Container credential provider"). Over plain HTTP only the addresses that AWS has set
 * aside for that are asked, and loopback: a variable must not send our token elsewhere.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/cred_ask.h"
#include "net/url.h"

#define ECS_AGENT "http://169.254.170.2"

static const struct cred_service SERVICE = {.name = "the container's agent",
                                            .source = "container role",
                                            .parse = credanswer_parse_json,
                                            .parse_error = credanswer_parse_json_error};

enum { HOST_MAX = 256, LIMIT_MS = 2 * CRED_LINK_MS };

static bool is_allowed(const char *url)
{
    static const char *const agents[] = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "[::1]"};
    struct url_parts p;
    char host[HOST_MAX];
    struct in_addr address;

    if (url_split(url, &p) < 0 || p.host_size >= sizeof(host))
        return false;
    memcpy(host, p.host, p.host_size);
    host[p.host_size] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(agents) && !p.https; i++)
        if (text_eq(host, agents[i]))
            return true;
    return p.https || (inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127);
}

static int find_url(char **ret, struct err *e)
{
    const char *relative = env_get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = env_get("AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (relative && *relative != '/')
        return err_set(e, -FAULT_CREDENTIALS, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with '/'");
    if (relative) {
        if (asprintf(ret, ECS_AGENT "%s", relative) >= 0)
            return 0;
        *ret = NULL;
        return -ENOMEM;
    }
    if (!full)
        return err_set(e, -ENOENT, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
    if (!is_allowed(full))
        return err_set(e, -FAULT_CREDENTIALS,
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI leads neither to https:// nor to loopback, 169.254.170.2, "
                       "169.254.170.23 or fd00:ec2::23: refused");
    return (*ret = strdup(full)) ? 0 : -ENOMEM;
}

/* *ret stays NULL where none is asked for. */
static int find_token(char **ret, struct err *e)
{
    const char *path = env_get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = env_get("AWS_CONTAINER_AUTHORIZATION_TOKEN");

    if (path)
        return cred_read_token(path, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", ret, e);
    if (!token)
        return 0;
    return (*ret = strdup(token)) ? 0 : -ENOMEM;
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    CLEANUP_FREE char *url = NULL;
    CLEANUP(cred_token_done) char *token = NULL;
    CLEANUP(secret_free_ptr) struct secret *secret = NULL;
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    struct http_options options = {.ca_file = http->ca_file, .timeout_ms = LIMIT_MS, .direct = true};
    struct http_request r = {.method = "GET", .limit_ms = LIMIT_MS};
    int result = find_url(&url, e);

    if (result == 0)
        result = find_token(&token, e);
    if (result == -ENOMEM || (result == 0 && token && !(secret = secret_new(token, strlen(token)))))
        return err_set(e, -ENOMEM, "out of memory");
    if (result < 0)
        return result;
    r.url = url;
    http_add_header(&r, "Accept", "application/json");
    http_add_secret(&r, "Authorization", secret);
    if ((result = cred_ask(&options, &r, SERVICE.name, &answer, e)) < 0)
        return result;
    return cred_take(&SERVICE, &answer, ret, e);
}

const struct cred_provider CRED_CONTAINER = {.name = "container", .get = get};
