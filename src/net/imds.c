/* SPDX-License-Identifier: Apache-2.0 */
#include "net/imds.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/env.h"
#include "base/mem.h"

/* No byte for so long: it answers at once, or it is not there. */
static const struct http_options DIRECT = {.timeout_ms = 1000, .direct = true};

bool imds_disabled(void)
{
    const char *disabled = env_get("AWS_EC2_METADATA_DISABLED");

    return disabled && strcasecmp(disabled, "true") == 0;
}

const char *imds_given(void)
{
    return env_get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
}

const char *imds_url(void)
{
    const char *given = imds_given(), *mode = env_get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (given)
        return given;
    return mode && strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

static int ask(const struct imds *s, struct http_request *r, const char *path, struct http_answer *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf url = {0};
    const char *base = imds_url();
    size_t size = strlen(base);

    if (size > 0 && base[size - 1] == '/')
        size--;
    if (buf_printf(&url, "%.*s%s", (int)size, base, path) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r->url = buf_text(&url); /* cppcheck-suppress autoVariables ; used only while this request runs */
    return service_ask(&s->service, r, ret, e);
}

/* The packets of its answer to the PUT live for one hop, and a container is the second. A GET without a token is
 * answered by a 401. */
static bool is_there(const struct imds *s)
{
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    struct http_request r = {.method = "GET"};
    struct err ignored;

    return ask(s, &r, "/latest/meta-data/", &answer, &ignored) == 0;
}

static int get_token(struct imds *s, struct err *e)
{
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    struct http_request r = {.method = "PUT"};
    int result;

    http_add_header(&r, "X-aws-ec2-metadata-token-ttl-seconds", "60");
    result = ask(s, &r, "/latest/api/token", &answer, e);
    if (result == -FAULT_STALLED && is_there(s))
        return err_set(e, -FAULT_CREDENTIALS,
                       "%s does not answer to a container: its hop limit is 1. Run aws ec2 "
                       "modify-instance-metadata-options --http-put-response-hop-limit 2 for the instance, or use IRSA "
                       "or Pod Identity",
                       s->service.name);
    if (result == -FAULT_BUSY || result == -ENOMEM)
        return result;
    if (result < 0 || answer.status == 404)
        return err_set(e, -ENOENT, "no EC2 metadata service");
    if (answer.status != 200 || answer.body.size == 0)
        return err_set(e, -FAULT_CREDENTIALS, "%s answers %ld when asked for a token%s", s->service.name, answer.status,
                       answer.status == 403 ? ": it is switched off for this instance" : "");
    s->token = secret_new(answer.body.data, answer.body.size);
    return s->token ? 0 : err_set(e, -ENOMEM, "out of memory");
}

int imds_open(struct imds *s, struct err *e)
{
    int r;

    assert(!s->token);
    s->service.name = "the EC2 metadata service";
    r = service_open(&s->service, &DIRECT, e);
    return r < 0 ? r : get_token(s, e);
}

void imds_done(struct imds *s)
{
    service_done(&s->service);
    secret_free(s->token);
    s->token = NULL;
}

int imds_get(const struct imds *s, const char *path, struct http_answer *ret, struct err *e)
{
    struct http_request r = {.method = "GET"};

    assert(s->token);
    http_add_secret(&r, "X-aws-ec2-metadata-token", s->token);
    return ask(s, &r, path, ret, e);
}
