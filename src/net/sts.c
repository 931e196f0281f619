/* SPDX-License-Identifier: Apache-2.0
 *
 * A form, its signature, and where it goes: a region's own endpoint answers when others are down, AWS recommends it.
 */
#include "net/sts.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/aws_partition.h"
#include "net/sigv4.h"
#include "net/store_settings.h"
#include "net/url.h"

enum { LIMIT_MS = 15000 };

static const char FORM[] = "application/x-www-form-urlencoded";

/* Where STS is, and the region that requests are signed for. */
struct place {
    char *url; /* ends with '/' */
    char *region;
};

static void place_done(struct place *p)
{
    free(p->url);
    free(p->region);
}

static bool is_region(const char *text)
{
    return text && *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

/* AWS's own. GovCloud's plain endpoints are FIPS ones. */
static int own_endpoint(const char *region, bool fips, bool dualstack, struct place *ret, struct err *e)
{
    const struct aws_partition *p = aws_partition_of(region);

    if (dualstack && !p->dual_suffix)
        return err_set(e, -FAULT_USAGE, "STS in %s has no dual-stack endpoint: set AWS_USE_DUALSTACK_ENDPOINT=false",
                       region);
    if (asprintf(&ret->url, "https://sts%s.%s%s/",
                 fips && !(text_starts(region, "us-gov-") && !dualstack) ? "-fips" : "", region,
                 dualstack ? p->dual_suffix : p->suffix) < 0) {
        ret->url = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    return 0;
}

static int find_mode(const struct awsconfig *c, bool *ret_legacy, bool *ret_fips, bool *ret_dualstack, struct err *e)
{
    CLEANUP_FREE char *mode = NULL;
    int r;

    if (awsconfig_setting(
            c, &(struct aws_setting){.variable = "AWS_STS_REGIONAL_ENDPOINTS", .name = "sts_regional_endpoints"}, &mode,
            NULL) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    *ret_legacy = text_eq(mode, "legacy");
    if ((r = awsconfig_flag(c, &AWS_SETTING_FIPS, ret_fips, e)) < 0)
        return r;
    return awsconfig_flag(c, &AWS_SETTING_DUALSTACK, ret_dualstack, e);
}

static int given_endpoint(const char *given, struct place *ret)
{
    size_t size = strlen(given);

    while (size > 0 && given[size - 1] == '/')
        size--;
    if (asprintf(&ret->url, "%.*s/", (int)size, given) < 0)
        ret->url = NULL;
    return ret->url ? 0 : -ENOMEM;
}

static int find_place(const struct awsconfig *c, struct place *ret, struct err *e)
{
    CLEANUP_FREE char *given = NULL;
    bool legacy = false, fips = false, dualstack = false, nowhere;
    int r = aws_settings_endpoint(c, "sts", &given, e);

    if (r < 0 || (r = find_mode(c, &legacy, &fips, &dualstack, e)) < 0)
        return r;
    if (aws_settings_region(c, &ret->region) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    nowhere = !is_region(ret->region);
    if (nowhere) {
        free(ret->region);
        if (!(ret->region = strdup("us-east-1")))
            return err_set(e, -ENOMEM, "out of memory");
    }
    if (given)
        return given_endpoint(given, ret) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
    if (!fips && !dualstack && (nowhere || (legacy && !*aws_partition_of(ret->region)->region)))
        return given_endpoint("https://sts.amazonaws.com", ret) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
    return own_endpoint(ret->region, fips, dualstack, ret, e);
}

static int add_parameter(struct buf *b, const char *name, const char *value)
{
    CLEANUP(cred_token_done) char *encoded = value ? url_encode(value, strlen(value), 0) : NULL;

    if (!value)
        return 0;
    return encoded ? buf_printf(b, "&%s=%s", name, encoded) : -ENOMEM;
}

static int make_body(const struct sts_role *role, struct buf *ret)
{
    const char *token = role->token;
    size_t room = 8192 + 3 * (token ? strlen(token) : 0);
    int r = buf_make_room(ret, room);

    if (r < 0)
        return r;
    r = buf_printf(ret, "Action=%s&Version=2011-06-15", token ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    if (r == 0)
        r = add_parameter(ret, "RoleArn", role->arn);
    if (r == 0)
        r = add_parameter(ret, "RoleSessionName", role->session ? role->session : "salvage");
    if (r == 0)
        r = add_parameter(ret, "ExternalId", role->external_id);
    if (r == 0)
        r = add_parameter(ret, "DurationSeconds", role->duration);
    return r == 0 ? add_parameter(ret, "WebIdentityToken", token) : r;
}

static int sign(const struct place *p, const struct buf *body, const struct credentials *source, struct signature *ret,
                struct err *e)
{
    CLEANUP_FREE char *host = NULL;
    const struct sign_pair type = {"content-type", FORM};
    unsigned char raw[EVP_MAX_MD_SIZE];
    char sha256[65];
    struct sign_request r = {.method = "POST",
                             .headers = &type,
                             .header_count = 1,
                             .payload_sha256 = sha256,
                             .region = p->region,
                             .service = "sts",
                             .time_ns = clock_wall_ns()};
    struct url_parts url;

    if (url_split(p->url, &url) < 0)
        return err_set(e, -FAULT_USAGE, "STS: endpoint '%.200s' is not an http:// or https:// address", p->url);
    if (!(host = strndup(url.host, url.authority_size)) ||
        EVP_Digest(body->data, body->size, raw, NULL, EVP_sha256(), NULL) != 1)
        return err_set(e, -ENOMEM, "out of memory");
    text_hex(raw, 32, sha256);
    r.host = host;
    r.path = url.path;
    return sigv4_sign(&r, source, ret) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

int sts_assume(const struct awsconfig *c, const struct http_options *http, const struct sts_role *role,
               struct credentials *ret, struct err *e)
{
    const struct credentials *source = role->source;
    const struct cred_service service = {
        .name = "STS", .source = role->name, .parse = credanswer_parse_sts, .parse_error = credanswer_parse_sts_error};
    CLEANUP(place_done) struct place place = {0};
    CLEANUP(buf_wipe) struct buf body = {0};
    CLEANUP(signature_done) struct signature signature = {0};
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    struct http_request r = {.method = "POST", .limit_ms = LIMIT_MS};
    int result;

    assert(!role->source != !role->token);
    if ((result = find_place(c, &place, e)) < 0)
        return result;
    if (!place.url || make_body(role, &body) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (source && (result = sign(&place, &body, source, &signature, e)) < 0)
        return result;
    r.url = place.url;
    r.body = body.data;
    r.body_size = body.size;
    http_add_header(&r, "Content-Type", FORM);
    http_add_header(&r, "Accept", "application/xml");
    if (source) {
        http_add_header(&r, "X-Amz-Date", signature.date);
        http_add_secret(&r, "Authorization", signature.authorization);
        http_add_secret(&r, "X-Amz-Security-Token", source->token);
    }
    if ((result = cred_ask(http, &r, service.name, &answer, e)) < 0)
        return result;
    return cred_take(&service, &answer, ret, e);
}
