/* SPDX-License-Identifier: Apache-2.0
 *
 * The agency of a Huawei Cloud ECS: temporary keys from its metadata service (ECS User Guide, "Obtaining metadata",
 * /openstack/latest/securitykey), with a token where it hands one out (its version 2).
 */
#include <errno.h>
#include <string.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
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

/* Where the service knows no tokens, *ret stays NULL. */
static int get_token(struct secret **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf url = {0};
    CLEANUP(cred_answer_done) struct http_answer answer = {0};
    struct http_request r = {.method = "PUT", .limit_ms = CRED_LINK_MS};
    struct err failure = {0};
    int result;

    if (buf_printf(&url, "%s/meta-data/latest/api/token", endpoint()) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r.url = buf_text(&url);
    http_add_header(&r, "X-Metadata-Token-Ttl-Seconds", "21600");
    result = cred_ask(&DIRECT, &r, SERVICE.name, &answer, &failure);
    if (result == -FAULT_BUSY || result == -ENOMEM)
        return err_set(e, result, "%s", failure.msg);
    if (result < 0)
        return err_set(e, -ENOENT, "no ECS metadata service");
    if (answer.status == 200 && answer.body.size > 0 && !(*ret = secret_new(answer.body.data, answer.body.size)))
        return err_set(e, -ENOMEM, "out of memory");
    return 0;
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf url = {0};
    CLEANUP(secret_free_ptr) struct secret *token = NULL;
    CLEANUP(cred_answer_done) struct http_answer answer = {0};
    struct http_request r = {.method = "GET", .limit_ms = CRED_LINK_MS};
    int result = get_token(&token, e);

    (void)http;
    if (result < 0)
        return result;
    if (buf_printf(&url, "%s/openstack/latest/securitykey", endpoint()) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r.url = buf_text(&url);
    http_add_header(&r, "Accept", "application/json");
    if (token) {
        http_add_header(&r, "X-Metadata-Token", NULL);
        r.headers[r.header_count - 1].secret = token;
    }
    if ((result = cred_ask(&DIRECT, &r, SERVICE.name, &answer, e)) < 0)
        return result;
    if (answer.status == 404)
        return err_set(e, -ENOENT, "the ECS has no agency");
    return cred_take(&SERVICE, &answer, ret, e);
}

const struct cred_provider CRED_OBS_AGENCY = {.name = "ECS agency", .get = get};
