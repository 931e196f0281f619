/* SPDX-License-Identifier: Apache-2.0
 *
 * The role of the EC2 instance, by IMDSv2: the role's name, then its keys (EC2 User Guide, "Retrieve security
 * credentials from instance metadata"). Asked last, and each request for a second at most: most machines are no EC2.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/cred_ask.h"
#include "net/imds.h"

enum { ROLE_MAX = 128 };

static const char ROLES[] = "/latest/meta-data/iam/security-credentials/";

static const struct cred_service SERVICE = {.name = "the EC2 metadata service",
                                            .source = "EC2 instance role",
                                            .parse = credanswer_parse_json,
                                            .parse_error = credanswer_parse_json_error};
static int fetch(const struct imds *s, const char *role, struct http_answer *ret, struct err *e)
{
    char path[sizeof(ROLES) + ROLE_MAX];

    snprintf(path, sizeof(path), "%s%s", ROLES, role);
    return imds_get(s, path, ret, e);
}

/* The first line of the list: an instance has one role. */
static int find_role(const struct imds *s, char role[ROLE_MAX], struct err *e)
{
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    const char *text;
    size_t size;
    int r = fetch(s, "", &answer, e);

    if (r < 0)
        return r;
    text = buf_text(&answer.body);
    size = strcspn(text, "\r\n");
    if (answer.status == 404 || (answer.status == 200 && size == 0))
        return err_set(e, -ENOENT, "the EC2 instance has no role");
    /* IAM: letters, digits and +=,.@_- */
    if (answer.status != 200 || size >= ROLE_MAX ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@_-") != size)
        return err_set(e, -FAULT_CREDENTIALS, "%s answers %ld when asked for the role's name", SERVICE.name,
                       answer.status);
    memcpy(role, text, size);
    role[size] = '\0';
    return 0;
}

static int get(const struct http_options *http, struct credentials *ret, struct err *e)
{
    CLEANUP(imds_done)
    struct imds imds = {.service = {.deadline_ms = clock_mono_ms() + CRED_LINK_MOST_MS,
                                    .try_ms = CRED_LINK_MS,
                                    .answer_max = CREDANSWER_MAX}};
    CLEANUP(service_answer_done) struct http_answer answer = {0};
    char role[ROLE_MAX];
    int r;

    (void)http;
    if (imds_disabled())
        return err_set(e, -ENOENT, "AWS_EC2_METADATA_DISABLED is true");
    if ((r = imds_open(&imds, e)) < 0 || (r = find_role(&imds, role, e)) < 0 ||
        (r = fetch(&imds, role, &answer, e)) < 0)
        return r == -ENOENT ? r : err_prefix(e, r, "credentials");
    return cred_take(&SERVICE, &answer, ret, e);
}

const struct cred_provider CRED_INSTANCE = {.name = "EC2 instance", .get = get};
