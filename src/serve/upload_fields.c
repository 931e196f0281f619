/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields by their names; values by the grammar of structured fields.
 */
#include "serve/upload_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "net/structured.h"

#define PROBLEM "https://iana.org/assignments/http-problem-types#"

const char *upload_fields_limit(const struct uploads *u, uint64_t lifetime_ms, char out[UPLOAD_LIMIT_MAX])
{
    const struct upload_config *config = uploads_config(u);
    char age[32] = "";

    if (lifetime_ms)
        snprintf(age, sizeof(age), ", max-age=%" PRIu64, lifetime_ms / 1000);
    snprintf(out, UPLOAD_LIMIT_MAX, "%s=%" PRIu64 "%s", config->object_max ? "max-size" : "min-size",
             config->object_max, age);
    return out;
}

void upload_fields_add_uint(struct exchange *x, const char *name, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    exchange_add_header(x, name, text);
}

void upload_fields_add_complete(struct exchange *x, bool complete)
{
    exchange_add_header(x, "Upload-Complete", complete ? "?1" : "?0");
    exchange_add_header(x, UPLOAD_VERSION_FIELD, UPLOAD_INTEROP_VERSION);
}

void upload_fields_add_limit(struct request *r)
{
    char limit[UPLOAD_LIMIT_MAX];

    exchange_add_header(r->exchange, "Upload-Limit",
                        upload_fields_limit(r->serve->uploads, uploads_config(r->serve->uploads)->abandoned_ms, limit));
}

static void answer_problem(struct request *r, unsigned status, const char *json)
{
    exchange_add_header(r->exchange, "Content-Type", "application/problem+json");
    exchange_answer(r->exchange, status, json, strlen(json));
}

void upload_fields_inconsistent(struct request *r)
{
    upload_fields_add_complete(r->exchange, false);
    answer_problem(r, 400,
                   "{\"type\":\"" PROBLEM
                   "inconsistent-upload-length\",\"title\":\"inconsistent length values for upload\"}\n");
}

void upload_fields_mismatch(struct request *r, uint64_t expected, uint64_t provided)
{
    char json[320];

    snprintf(json, sizeof(json),
             "{\"type\":\"" PROBLEM "mismatching-upload-offset\",\"title\":\"offset from request does not match offset "
             "of resource\",\"expected-offset\":%" PRIu64 ",\"provided-offset\":%" PRIu64 "}\n",
             expected, provided);
    upload_fields_add_uint(r->exchange, "Upload-Offset", expected);
    upload_fields_add_complete(r->exchange, false);
    answer_problem(r, 409, json);
}

bool upload_fields_length(const struct exchange *x, uint64_t offset, bool is_rest, uint64_t *known)
{
    int64_t body = exchange_body_size(x);
    uint64_t stated;

    if (structured_uint(exchange_header(x, "Upload-Length"), &stated)) {
        if (*known != UINT64_MAX && *known != stated)
            return false;
        *known = stated;
    }
    if (body < 0)
        return *known >= offset;
    if (is_rest && *known != UINT64_MAX && *known != offset + (uint64_t)body)
        return false;
    if (is_rest)
        *known = offset + (uint64_t)body;
    return *known >= offset + (uint64_t)body;
}
