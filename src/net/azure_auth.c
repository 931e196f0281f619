/* SPDX-License-Identifier: Apache-2.0 */
#include "net/azure_auth.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/azure_token.h"
#include "net/cred_ask.h"
#include "net/url.h"

enum { LIMIT_MS = 15000 };

static const char SAS[] = "AZURE_STORAGE_SAS_TOKEN", TOKEN_FILE[] = "AZURE_FEDERATED_TOKEN_FILE",
                  RESOURCE[] = "https://storage.azure.com/";

void azure_auth_done(struct azure_auth *a)
{
    secret_free(a->sas);
    secret_free(a->bearer);
    *a = (struct azure_auth){0};
}

/* --- SAS ------------------------------------------------------------------------------------------------------------
 */

static int get_sas(struct azure_auth *ret, struct err *e)
{
    const char *text = env_get(SAS);
    char at[CLOCK_TEXT_MAX];
    size_t size;

    if (!text)
        return -ENOENT;
    text += *text == '?';
    for (size = strlen(text); size > 0 && strchr(" \t\r\n", text[size - 1]);)
        size--;
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '#')
            return err_set(e, -FAULT_CREDENTIALS, "%s has a character that a SAS can't have", SAS);
    if (!memmem(text, size, "sig=", 4))
        return err_set(e, -FAULT_CREDENTIALS, "%s is no SAS: it has no sig=", SAS);
    *ret = (struct azure_auth){.expires_ns = azure_sas_end(text), .renew_at_ns = INT64_MAX, .source = SAS};
    if (ret->expires_ns && ret->expires_ns <= clock_wall_ns())
        return err_set(e, -FAULT_EXPIRED, "the SAS in %s ended at %s: make another", SAS,
                       clock_format(ret->expires_ns, at));
    ret->sas = secret_new(text, size);
    return ret->sas ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* --- tokens ---------------------------------------------------------------------------------------------------------
 */

/* Three quarters of a token's life: services hand out the same one until shortly before its end. */
static int take(const struct http_answer *a, const char *source, struct azure_auth *ret, struct err *e)
{
    CLEANUP(azure_token_done) struct azure_token token = {0};
    CLEANUP(buf_wipe) struct buf header = {0};
    char reason[AZURE_REASON_MAX];
    int64_t now = clock_wall_ns();

    if (a->status != 200)
        return err_set(e, -FAULT_CREDENTIALS, "%s: the answer is %ld: %s", source, a->status,
                       azure_token_reason(buf_text(&a->body), a->body.size, reason));
    if (azure_token_parse(buf_text(&a->body), a->body.size, &token) < 0)
        return err_set(e, -FAULT_CREDENTIALS, "%s: the answer has no access token", source);
    if (buf_make_room(&header, strlen(token.text) + 16) < 0 || buf_printf(&header, "Bearer %s", token.text) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    *ret =
        (struct azure_auth){.bearer = secret_new(header.data, header.size), .renew_at_ns = INT64_MAX, .source = source};
    if (token.expires_s) {
        ret->expires_ns = now + (int64_t)token.expires_s * 1000000000;
        ret->renew_at_ns = now + (int64_t)token.expires_s * 750000000;
    }
    return ret->bearer ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int add(struct buf *b, const char *name, const char *value)
{
    CLEANUP(cred_token_done) char *encoded = url_encode(value, strlen(value), 0);

    return encoded ? buf_printf(b, "%s%s=%s", b->size > 0 ? "&" : "", name, encoded) : -ENOMEM;
}

static int make_form(const char *client, const char *token, struct buf *ret)
{
    if (buf_make_room(ret, 4096 + 3 * strlen(token)) < 0)
        return -ENOMEM;
    return add(ret, "client_id", client) < 0 ||
                   add(ret, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") < 0 ||
                   add(ret, "grant_type", "client_credentials") < 0 ||
                   add(ret, "scope", "https://storage.azure.com/.default") < 0 ||
                   add(ret, "client_assertion", token) < 0
               ? -ENOMEM
               : 0;
}

static int get_workload(const struct http_options *http, struct azure_auth *ret, struct err *e)
{
    const char *path = env_get(TOKEN_FILE), *client = env_get("AZURE_CLIENT_ID"), *tenant = env_get("AZURE_TENANT_ID");
    const char *host = env_get("AZURE_AUTHORITY_HOST");
    CLEANUP(cred_token_done) char *token = NULL;
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    CLEANUP(buf_wipe) struct buf form = {0};
    CLEANUP(buf_done) struct buf url = {0};
    struct http_request r = {.method = "POST", .limit_ms = LIMIT_MS};
    int result;

    if (!path)
        return -ENOENT;
    if (!client || !tenant)
        return err_set(e, -FAULT_CREDENTIALS, "%s is set, but %s is not: label the pod azure.workload.identity/use",
                       TOKEN_FILE, client ? "AZURE_TENANT_ID" : "AZURE_CLIENT_ID");
    if ((result = cred_read_token(path, TOKEN_FILE, &token, e)) < 0)
        return result;
    host = host ? host : "https://login.microsoftonline.com";
    if (buf_printf(&url, "%.*s/", (int)(strlen(host) - (text_ends(host, "/") ? 1 : 0)), host) < 0 ||
        url_add_path(&url, tenant) < 0 || buf_printf(&url, "/oauth2/v2.0/token") < 0 ||
        make_form(client, token, &form) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r.url = buf_text(&url);
    r.body = form.data;
    r.body_size = form.size;
    http_add_header(&r, "Content-Type", "application/x-www-form-urlencoded");
    if ((result = cred_ask(http, &r, "Microsoft's identity platform", &answer, e)) < 0)
        return result;
    return take(&answer, "workload identity", ret, e);
}

/* A service of this machine: it answers at once, or it is not there. */
static int ask_identity(const char *url, const struct http_header *header, const char *source, struct azure_auth *ret,
                        struct err *e)
{
    static const struct http_options direct = {.timeout_ms = CRED_LINK_MS, .direct = true};
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    struct http_request r = {
        .method = "GET", .url = url, .limit_ms = CRED_LINK_MS, .headers = {*header}, .header_count = 1};
    char reason[AZURE_REASON_MAX];
    int result = cred_ask(&direct, &r, source, &answer, e);

    if (result == -FAULT_BUSY || result == -ENOMEM)
        return result;
    /* Machines of others have something else there, or nothing. */
    if (result < 0 || (answer.status != 200 && !*azure_token_reason(buf_text(&answer.body), answer.body.size, reason)))
        return -ENOENT;
    return take(&answer, source, ret, e);
}

static int make_url(const char *base, const char *path, const char *version, struct buf *ret)
{
    return buf_printf(ret, "%s%s", base, path) < 0 || url_add_query(ret, "api-version", version) < 0 ||
                   url_add_query(ret, "resource", RESOURCE) < 0 ||
                   url_add_query(ret, "client_id", env_get("AZURE_CLIENT_ID")) < 0
               ? -ENOMEM
               : 0;
}

static int get_managed(struct azure_auth *ret, struct err *e)
{
    const char *endpoint = env_get("IDENTITY_ENDPOINT"), *key = env_get("IDENTITY_HEADER");
    const char *base = env_get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    CLEANUP(secret_free_ptr) struct secret *secret = key ? secret_new(key, strlen(key)) : NULL;
    CLEANUP(buf_done) struct buf url = {0};

    if (endpoint && secret) {
        if (make_url(endpoint, "", "2019-08-01", &url) < 0)
            return err_set(e, -ENOMEM, "out of memory");
        return ask_identity(buf_text(&url), &(struct http_header){.name = "X-IDENTITY-HEADER", .secret = secret},
                            "managed identity (IDENTITY_ENDPOINT)", ret, e);
    }
    if (make_url(base ? base : "http://169.254.169.254", "/metadata/identity/oauth2/token", "2018-02-01", &url) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    return ask_identity(buf_text(&url), &(struct http_header){.name = "Metadata", .value = "true"}, "managed identity",
                        ret, e);
}

int azure_auth_get(const struct http_options *http, struct azure_auth *ret, struct err *e)
{
    CLEANUP(azure_auth_done) struct azure_auth found = {0};
    int r = get_sas(&found, e);

    assert(http && ret);
    if (r == -ENOENT)
        r = get_workload(http, &found, e);
    if (r == -ENOENT)
        r = get_managed(&found, e);
    if (r == -ENOENT)
        return err_set(e, -FAULT_CREDENTIALS,
                       "no credentials: %s and %s are not set, and this machine has no managed identity%s", SAS,
                       TOKEN_FILE,
                       env_get("AZURE_STORAGE_KEY") || env_get("AZURE_STORAGE_CONNECTION_STRING")
                           ? "; account keys are not used: make a SAS with them (az storage container generate-sas)"
                           : "");
    if (r < 0)
        return r;
    *ret = found;
    found = (struct azure_auth){0};
    return 0;
}
