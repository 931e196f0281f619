/* SPDX-License-Identifier: Apache-2.0
 *
 * The role of the EC2 instance, by IMDSv2: a PUT for a token, then with it the role's name and its keys (EC2 User
 * Guide, "Use the Instance Metadata Service"). Version 1 is not used. Asked last, and for a second: most machines are
 * no EC2.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/cred_ask.h"
#include "net/imds.h"

enum { ROLE_MAX = 128 };

static const struct cred_service SERVICE = {.name = "the EC2 metadata service",
                                            .source = "EC2 instance role",
                                            .parse = credanswer_parse_json,
                                            .parse_error = credanswer_parse_json_error};
static const struct http_options DIRECT = {.timeout_ms = CRED_LINK_MS, .direct = true};

static int make_url(const char *path, const char *more, struct buf *ret)
{
    const char *base = imds_url();
    size_t size = strlen(base);

    return buf_printf(ret, "%.*s%s%s", (int)(size > 0 && base[size - 1] == '/' ? size - 1 : size), base, path, more);
}

/* The service is there, but its answer to the PUT has not come: its packets live for one hop, and a container is the
 * second. Asked without a token it answers by a 401. */
static bool is_there(void)
{
    CLEANUP(buf_done) struct buf url = {0};
    CLEANUP(cred_answer_done) struct http_answer answer = {0};
    struct http_request r = {.method = "GET", .limit_ms = CRED_LINK_MS};
    struct err ignored;

    if (make_url("/latest/meta-data/", "", &url) < 0)
        return false;
    r.url = buf_text(&url);
    return cred_ask(&DIRECT, &r, SERVICE.name, &answer, &ignored) == 0;
}

static int get_token(struct secret **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf url = {0};
    CLEANUP(cred_answer_done) struct http_answer answer = {0};
    struct http_request r = {.method = "PUT", .limit_ms = CRED_LINK_MS};
    struct err failure = {0};
    int result;

    if (make_url("/latest/api/token", "", &url) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r.url = buf_text(&url);
    http_add_header(&r, "X-aws-ec2-metadata-token-ttl-seconds", "21600");
    result = cred_ask(&DIRECT, &r, SERVICE.name, &answer, &failure);
    if (result == -FAULT_STALLED && is_there())
        return err_set(e, -FAULT_CREDENTIALS,
                       "credentials: the EC2 metadata service does not answer to a container: its hop limit is 1. "
                       "Run aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2 for the "
                       "instance, or use IRSA or Pod Identity");
    if (result == -FAULT_BUSY || result == -ENOMEM)
        return err_set(e, result, "%s", failure.msg);
    if (result < 0 || answer.status == 404)
        return err_set(e, -ENOENT, "no EC2 metadata service");
    if (answer.status != 200 || answer.body.size == 0)
        return err_set(e, -FAULT_CREDENTIALS, "credentials: %s answers %ld when asked for a token%s", SERVICE.name,
                       answer.status, answer.status == 403 ? ": it is switched off for this instance" : "");
    *ret = secret_new(answer.body.data, answer.body.size);
    return *ret ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int fetch(const struct secret *token, const char *name, struct http_answer *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf url = {0};
    struct http_request r = {.method = "GET", .limit_ms = CRED_LINK_MS};

    if (make_url("/latest/meta-data/iam/security-credentials/", name, &url) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r.url = buf_text(&url);
    http_add_header(&r, "X-aws-ec2-metadata-token", NULL);
    r.headers[r.header_count - 1].secret = token;
    return cred_ask(&DIRECT, &r, SERVICE.name, ret, e);
}

/* The first line of the list: an instance has one role. */
static int find_role(const struct secret *token, char role[ROLE_MAX], struct err *e)
{
    CLEANUP(cred_answer_done) struct http_answer answer = {0};
    const char *text;
    size_t size;
    int r = fetch(token, "", &answer, e);

    if (r < 0)
        return r;
    text = buf_text(&answer.body);
    size = strcspn(text, "\r\n");
    if (answer.status == 404 || (answer.status == 200 && size == 0))
        return err_set(e, -ENOENT, "the EC2 instance has no role");
    /* IAM: letters, digits and +=,.@_- */
    if (answer.status != 200 || size >= ROLE_MAX ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@_-") != size)
        return err_set(e, -FAULT_CREDENTIALS, "credentials: %s answers %ld when asked for the role's name",
                       SERVICE.name, answer.status);
    memcpy(role, text, size);
    role[size] = '\0';
    return 0;
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    CLEANUP(secret_free_ptr) struct secret *token = NULL;
    CLEANUP(cred_answer_done) struct http_answer answer = {0};
    char role[ROLE_MAX];
    int r;

    (void)http;
    if (imds_disabled())
        return err_set(e, -ENOENT, "AWS_EC2_METADATA_DISABLED is true");
    if ((r = get_token(&token, e)) < 0 || (r = find_role(token, role, e)) < 0 ||
        (r = fetch(token, role, &answer, e)) < 0)
        return r;
    return cred_take(&SERVICE, &answer, ret, e);
}

const struct cred_provider CRED_INSTANCE = {.name = "EC2 instance", .get = get};
