/* SPDX-License-Identifier: Apache-2.0
 *
 * The agency of a Huawei Cloud ECS: temporary keys from its metadata service (ECS User Guide, "Obtaining metadata",
 * /openstack/latest/securitykey), with a token where it hands one out (its version 2).
 */
#include <errno.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/mem.h"
#include "net/cred_ask.h"

static const struct cred_service SERVICE = {.name = "the ECS metadata service",
                                            .source = "ECS agency",
                                            .parse = credanswer_parse_huawei,
                                            .parse_error = credanswer_parse_json_error};
static const struct http_options DIRECT = {.timeout_ms = CRED_LINK_MS, .direct = true};

static const char *endpoint(void)
{
    const char *given = env_get("SALVAGE_OBS_METADATA_ENDPOINT");

    return given ? given : "http://169.254.169.254";
}

static int ask(const struct service *s, struct http_request *r, const char *path, struct http_answer *ret,
               struct err *e)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (buf_printf(&url, "%s%s", endpoint(), path) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r->url = buf_text(&url); /* cppcheck-suppress autoVariables ; used only while this request runs */
    return service_ask(s, r, ret, e);
}

/* Where the service knows no tokens, *ret stays NULL. */
static int get_token(const struct service *s, struct secret **ret, struct err *e)
{
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    struct http_request r = {.method = "PUT"};
    int result;

    http_add_header(&r, "X-Metadata-Token-Ttl-Seconds", "60");
    result = ask(s, &r, "/meta-data/latest/api/token", &answer, e);
    if (result == -FAULT_BUSY || result == -ENOMEM)
        return result;
    if (result < 0)
        return err_set(e, -ENOENT, "no ECS metadata service");
    if (answer.status == 200 && answer.body.size > 0 && !(*ret = secret_new(answer.body.data, answer.body.size)))
        return err_set(e, -ENOMEM, "out of memory");
    return 0;
}

static int get_keys(const struct service *s, struct http_answer *ret, struct err *e)
{
    CLEANUP(secret_free_ptr) struct secret *token = NULL;
    struct http_request r = {.method = "GET"};
    int result = get_token(s, &token, e);

    if (result < 0)
        return result;
    http_add_header(&r, "Accept", "application/json");
    http_add_secret(&r, "X-Metadata-Token", token);
    return ask(s, &r, "/openstack/latest/securitykey", ret, e);
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    CLEANUP(service_done)
    struct service service = {.name = SERVICE.name,
                              .deadline_ms = clock_mono_ms() + CRED_LINK_MOST_MS,
                              .try_ms = CRED_LINK_MS,
                              .answer_max = CREDANSWER_MAX};
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    int r;

    (void)http;
    if ((r = service_open(&service, &DIRECT, e)) < 0 || (r = get_keys(&service, &answer, e)) < 0)
        return r == -ENOENT ? r : err_prefix(e, r, "credentials");
    if (answer.status == 404)
        return err_set(e, -ENOENT, "the ECS has no agency");
    return cred_take(&SERVICE, &answer, ret, e);
}

const struct cred_provider CRED_OBS_AGENCY = {.name = "ECS agency", .get = get};
